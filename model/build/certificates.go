package build

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// certificates are those that a member asks for on an HTTPS port: the ones it names in its order; or one that is requested for it; or all
// that match its hosts, sorted; or those of its Secrets, where the account has none for some of its hosts.
func (b *builder) certificates(w wish) []model.ARN {
	l, at := w.listener, w.place()
	switch {
	case len(l.Certificates) > 0:
		return b.namedCertificates(w.written("certificates"), l.Certificates)
	case l.Only == intent.PartPort:
		return nil
	case l.Request != nil:
		return b.requested(w)
	case len(l.Secrets) > 0 && (l.Implied || !b.discoversAll(l.DiscoverHosts)):
		return b.imported(w)
	}
	var out []model.ARN
	for _, host := range l.DiscoverHosts {
		found := b.issuedFor(host)
		out = append(out, found...)
		if len(found) == 0 {
			b.wrong(at, "CertificateNotFound",
				"no issued certificate in ACM is for %s; request or import one for %s, or name a certificate", host, wildcardHint(host))
		}
	}
	if len(l.DiscoverHosts) == 0 {
		b.wrong(at, "CertificateNotFound", "the HTTPS listener on port %d names neither a certificate nor a host to find one for", l.Port)
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// issuedFor are the certificates of the account for a host.
func (b *builder) issuedFor(host string) []model.ARN {
	var out []model.ARN
	for _, c := range b.facts.Certificates {
		if anyCovers(c.Domains, host) {
			out = append(out, c.ARN)
		}
	}
	return out
}

// discoversAll tells whether the account has a certificate for each of the hosts: then those are what the incumbent uses, too.
func (b *builder) discoversAll(hosts []string) bool {
	return len(hosts) > 0 && !slices.ContainsFunc(hosts, func(h string) bool { return len(b.issuedFor(h)) == 0 })
}

func (b *builder) namedCertificates(at place, names []string) []model.ARN {
	var out []model.ARN
	for _, name := range names {
		if !strings.HasPrefix(name, "arn:") || len(name) > 2048 {
			b.wrong(at, "InvalidValue", "%q is no ARN of a certificate", name)
			continue
		}
		if state := b.facts.LostCertificates[model.ARN(name)]; state != "" {
			b.wrong(at, "CertificateNotFound", "%s; name one that is issued in this account and region, or remove it and have one found by host",
				lost(name, state))
			continue
		}
		out = append(out, model.ARN(name))
	}
	return out
}

func lost(arn, state string) string {
	if state == "NOT_FOUND" {
		return "there is no certificate " + arn + " in ACM"
	}
	return "certificate " + arn + " cannot be used: in ACM its status is " + state
}

func anyCovers(domains []string, host string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return model.CoversHost(d, host) })
}

func wildcardHint(host string) string {
	if _, rest, ok := strings.Cut(host, "."); ok && rest != "" && !strings.HasPrefix(host, "*.") {
		return host + " or *." + rest
	}
	return host
}

// addStanding appends the certificates that a member has on a port now, and still asks for.
func (b *builder) addStanding(one *port, w wish) {
	for _, l := range w.before {
		before := b.past.certificates(wish{fragment: w.fragment, listener: l})
		for _, arn := range b.certificates(w) {
			if slices.Contains(before, arn) && !l.Left && !slices.Contains(l.LeftCertificates, arn) {
				b.addCertificate(one, arn)
			}
		}
	}
}

// addCertificates appends what a port does not have yet, as far as there is room.
func (b *builder) addCertificates(one *port, w wish) {
	for _, arn := range b.certificates(w) {
		if slices.Contains(one.certs, arn) {
			continue
		}
		if limit := b.quotas.CertificatesPerLoadBalancer; len(one.certs) > 0 && b.usage.extraCertificates >= limit {
			b.overQuota(w.place(), model.Answered, quotaCertificates, excess{"certificate " + string(arn), b.usage.extraCertificates, limit})
			b.left.certificates[w.listener] = append(b.left.certificates[w.listener], arn)
			continue
		}
		b.addCertificate(one, arn)
	}
}

// addCertificate appends to a port. Its first certificate is its default, which the quota does not count.
func (b *builder) addCertificate(one *port, arn model.ARN) {
	if slices.Contains(one.certs, arn) {
		return
	}
	if len(one.certs) > 0 {
		b.usage.extraCertificates++
	}
	one.certs = append(one.certs, arn)
}
