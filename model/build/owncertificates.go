package build

import (
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const (
	// maxCommonName is the most that the domain name of a certificate may have; alternative names may be longer (ACM API,
	// RequestCertificate).
	maxCommonName = 64
	// maxNames is what AWS raises the quota of names to at most.
	maxNames = 100
	// maxPlainID leaves room in a tag value.
	maxPlainID = 200
)

// requested is the certificate that a member has ACM make.
func (b *builder) requested(w wish) []model.ARN {
	r := w.listener.Request
	at := place{w.fragment.Member, r.Field}
	if problem := requestProblem(r); problem != "" {
		b.wrong(at, "CertificateNotRequested", "%s", problem)
		return nil
	}
	kind := model.CertificateRequested
	if r.Authority != "" {
		kind = model.CertificatePrivate
	}
	c := model.OwnCertificate{
		// The incumbent's form, by which its certificates are found.
		ID:   strings.ToLower(kind) + "/" + strings.ReplaceAll(r.Hosts[0], "*", "wildcard") + "-" + r.Hash,
		Type: kind, Domains: model.SortDomains(commonName(r.Hosts), r.Hosts), Authority: model.ARN(r.Authority),
	}
	return b.owns(w, c)
}

// requestProblem is why ACM will not make what is asked for; empty where it may.
func requestProblem(r *intent.CertificateRequest) string {
	dotless := slices.IndexFunc(r.Hosts, func(h string) bool { return !strings.Contains(h, ".") })
	switch {
	case len(r.Hosts) == 0:
		return "there is no host to request a certificate for; write one in spec.rules[].host or spec.tls[].hosts"
	case len(r.Hosts) > maxNames:
		return "a certificate has at most 100 names; split the hosts over several Ingresses of a group"
	case dotless >= 0:
		return "ACM issues no certificate for " + r.Hosts[dotless] + ", which has no domain; use a full name"
	case commonName(r.Hosts) == "":
		return "one of the hosts must have at most 64 characters, to be the certificate's domain name"
	}
	return ""
}

// commonName is the first host that can be the domain name of a certificate.
func commonName(hosts []string) string {
	for _, h := range hosts {
		if len(h) <= maxCommonName {
			return h
		}
	}
	return ""
}

// imported are the certificates of a member's Secrets in its order, and those of the account for hosts that no Secret covers.
func (b *builder) imported(w wish) []model.ARN {
	var out []model.ARN
	var domains []string
	for _, s := range w.listener.Secrets {
		if s.Problem != "" {
			b.wrong(place{w.fragment.Member, s.Field}, s.Reason, "%s", s.Problem)
			continue
		}
		ref := s.Ref
		if same, ok := b.sameContent[s.Digest]; ok {
			ref = same
		}
		domains = append(domains, s.Domains...)
		out = append(out, b.owns(w, model.OwnCertificate{
			ID: importedID(ref), Type: model.CertificateImported, Domains: s.Domains, KeyAlgorithm: s.KeyAlgorithm, Digest: s.Digest,
			Secret: ref, NotAfter: s.NotAfter,
		})...)
	}
	for _, host := range w.listener.DiscoverHosts {
		if anyCovers(domains, host) || len(out) == 0 {
			continue
		}
		found := b.issuedFor(host)
		out = append(out, found...)
		if len(found) == 0 {
			b.report(w.place(), model.Warning, "CertificateNotFound", "no Secret and no issued certificate in ACM is for "+host+
				": its clients are shown another one; name a Secret in spec.tls for it")
		}
	}
	return out
}

// owns notes a certificate of the stack and gives the reference to it.
func (b *builder) owns(w wish, c model.OwnCertificate) []model.ARN {
	b.certs[c.ID] = c
	if b.users[c.ID] == nil {
		b.users[c.ID] = map[*intent.Fragment]bool{}
	}
	b.users[c.ID][w.fragment] = true
	return []model.ARN{c.Reference()}
}

func importedID(ref model.SecretRef) string {
	id := "imported/" + ref.String()
	if len(id) > maxPlainID {
		id = id[:maxPlainID] + "-" + shortHash(ref.Namespace, ref.Name)
	}
	return id
}

// sameContent chooses for each content the Secret that stands for it, so that equal content is imported once.
func sameContent(fragments []intent.Fragment) map[string]model.SecretRef {
	out := map[string]model.SecretRef{}
	for _, f := range fragments {
		for _, l := range f.Listeners {
			for _, s := range l.Secrets {
				have, ok := out[s.Digest]
				if s.Problem == "" && (!ok || s.Ref.String() < have.String()) {
					out[s.Digest] = s.Ref
				}
			}
		}
	}
	return out
}

// unfounded tells whether a port that nobody wrote is left out: its Secrets cannot be used, and never were.
func (b *builder) unfounded(w wish) bool {
	usable := func(s intent.Secret) bool { return s.Problem == "" }
	if slices.ContainsFunc(w.listener.Secrets, usable) {
		return false
	}
	for _, before := range w.before {
		if slices.ContainsFunc(before.Secrets, usable) {
			return false
		}
	}
	for _, s := range w.listener.Secrets {
		b.report(place{w.fragment.Member, s.Field}, model.Warning, s.Reason, s.Problem+"; until then there is no HTTPS port")
	}
	return true
}

// usedCertificates are the stack's own certificates that its listeners name.
func (b *builder) usedCertificates(s model.Stack) []model.OwnCertificate {
	used := map[string]bool{}
	for _, l := range s.Listeners {
		for _, ref := range l.Certificates {
			if key, ok := model.OwnCertificateKey(ref); ok {
				used[key.ID] = true
			}
		}
	}
	var out []model.OwnCertificate
	for _, id := range slices.Sorted(maps.Keys(used)) {
		c := b.certs[id]
		c.Tags = b.certificateTags(c)
		out = append(out, c)
	}
	return out
}

// certificateTags are the tags of a certificate of the stack. An imported one belongs to no stack and to no user: it has its cluster's, and
// those that everything of the cluster is given.
func (b *builder) certificateTags(c model.OwnCertificate) map[string]string {
	if c.Type == model.CertificateImported {
		out := map[string]string{}
		maps.Copy(out, b.in.Defaults.Tags)
		maps.Copy(out, model.ImportedTags(b.in.Owner.Cluster, c.ID))
		return out
	}
	var users []*intent.Fragment
	for _, f := range b.fragments {
		if b.users[c.ID][f] {
			users = append(users, f)
		}
	}
	return b.tags(c.ID, b.mergeTags(users))
}
