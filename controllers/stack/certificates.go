package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// sights are what an observation looks at: everything; certificates and trust stores only where the stack has or wants some, for they are
// costly to find.
func (l *Loop) sights(a *attempt) []model.Key {
	out := l.certificateSights(a)
	if a.sees(model.KindTrustStore, func(l intent.Listener) bool { return l.MutualAuth != nil && l.MutualAuth.Authorities != nil }) {
		out = append(out, model.Key{Kind: model.KindTrustStore})
	}
	for _, arn := range a.state.replacedARNs() {
		out = append(out, model.Key{Kind: model.KindReplaced, ID: string(arn)})
	}
	return out
}

// certificateSights are the certificates that the stack may have, and those with the names that it asks for.
func (l *Loop) certificateSights(a *attempt) []model.Key {
	may := l.commons.looks(a.owner)
	wants := func(l intent.Listener) bool { return l.Request != nil || len(l.Secrets) > 0 }
	if len(may) == 0 && !a.sees(model.KindCertificate, wants) {
		return nil
	}
	all := slices.Concat(a.req.Intent.Fragments, slices.Collect(maps.Values(a.state.good)))
	out := append([]model.Key{{Kind: model.KindCertificate}}, may...)
	for _, f := range all {
		for _, listener := range f.Listeners {
			for _, s := range listener.Secrets {
				if len(s.Domains) > 0 {
					out = append(out, model.Key{Kind: model.KindCertificate, ID: s.Domains[0]})
				}
			}
		}
	}
	return out
}

// sees tells whether the stack had resources of a kind, or a listener of its members wants some.
func (a *attempt) sees(kind model.Kind, wants func(intent.Listener) bool) bool {
	asks := func(f intent.Fragment) bool { return slices.ContainsFunc(f.Listeners, wants) }
	return slices.ContainsFunc(slices.Collect(maps.Values(a.state.good)), asks) || slices.ContainsFunc(a.req.Intent.Fragments, asks) ||
		slices.ContainsFunc(a.state.object.Spec.Resources, func(r headgatev1alpha1.AppliedResource) bool {
			return strings.HasPrefix(r.Key, string(kind)+"/")
		})
}

// expiring tell the members whose Secrets hold certificates that somebody should have renewed.
func expiring(fragments []intent.Fragment, now time.Time) []model.Finding {
	var out []model.Finding
	for _, f := range fragments {
		told := map[model.SecretRef]bool{}
		for _, l := range f.Listeners {
			for _, s := range l.Secrets {
				if s.RenewBy.IsZero() || now.Before(s.RenewBy) || told[s.Ref] {
					continue
				}
				told[s.Ref] = true
				out = append(out, model.Finding{
					Object: f.Member, Severity: model.Warning, Reason: "CertificateExpires", Field: s.Field, Message: fmt.Sprintf(
						"the certificate in Secret %s expires at %s, and nothing renewed it in time: renew it, or mend what should have",
						s.Ref, s.NotAfter.Format(time.RFC3339)),
				})
			}
		}
	}
	return out
}

// fillCertificates lists the stack's own certificates. What is not known of one stays as it was.
func (b *Board) fillCertificates(name string, s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	before := s.Certificates
	s.Certificates = nil
	for _, want := range a.desired.Certificates {
		arn := a.outputs.ARNs[want.Key()]
		if arn == "" {
			continue
		}
		one := headgatev1alpha1.CertificateStatus{Name: want.ID}
		if i := slices.IndexFunc(before, func(c headgatev1alpha1.CertificateStatus) bool { return c.ARN == string(arn) }); i >= 0 {
			one = before[i]
		}
		one.ARN, one.Domains = string(arn), want.Domains
		now := a.seen().Certificates
		if i := slices.IndexFunc(now, func(c model.OwnCertificate) bool { return c.ARN == arn }); i >= 0 {
			one.State, one.NotAfter = now[i].Status, moment(now[i].NotAfter)
		}
		if want.Type == model.CertificateImported && a.applied && a.done() {
			one.State, one.NotAfter = model.CertificateUsable, moment(want.NotAfter)
		}
		s.Certificates = append(s.Certificates, one)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.certificates[name] = s.Certificates
}

// moment is a time as the API server keeps it, nil for none.
func moment(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	out := metav1.NewTime(t).Rfc3339Copy()
	return &out
}

// Certificates are those that Headgate keeps in ACM, by the name of their load balancer, as far as stacks ran since the start.
func (b *Board) Certificates() map[string][]headgatev1alpha1.CertificateStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.certificates)
}

// patienceToShare is how long a stack waits for others to ask for the same renewal, before it parts from them.
const patienceToShare = time.Minute

// parted are the IDs of the certificates that have waited for others long enough.
func (m *memory) parted(now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, step := range m.object.Spec.Waiting {
		if key, err := model.ParseKey(step.Key); err == nil && key.Kind == model.KindCertificate && now.Sub(step.Since.Time) >= patienceToShare {
			out[key.ID] = true
		}
	}
	return out
}

// contentsOf are the certificates that a fragment asks for, by their digests.
func contentsOf(f intent.Fragment) map[string]bool {
	out := map[string]bool{}
	for _, l := range f.Listeners {
		for _, s := range l.Secrets {
			if s.Digest != "" {
				out[s.Digest] = true
			}
		}
	}
	return out
}

// certified tells whether a stack has certificates in ACM, or wants some.
func (a *attempt) certified() bool { return len(a.desired.Certificates)+len(a.seen().Certificates) > 0 }

// diff makes the plan, with what others ask of the certificates that the stack shares with them.
func (l *Loop) diff(ctx context.Context, a *attempt) error {
	if !a.certified() {
		a.plan = l.draw(a)
		return nil
	}
	if err := l.commons.load(ctx, l.opts.Live, a.owner.Cluster); err != nil {
		return err
	}
	a.plan = l.commons.plan(a, a.state.parted(l.opts.Now()), func() plan.Plan {
		return l.draw(a)
	})
	return nil
}

// giveUp has certificates looked at again that the stack gave up while others who had them did so, too.
func (l *Loop) giveUp(a *attempt) {
	for _, key := range l.commons.settled(a) {
		a.outputs.Waiting = append(a.outputs.Waiting, model.Waiting{Key: key, For: "its deletion: nobody else has it any more"})
	}
}
