package build

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// quota is AWS's name of one of its quotas of a load balancer (ELB user guide, "Quotas for your Application Load Balancers").
type quota string

const (
	quotaRules        quota = "Rules per Application Load Balancer"
	quotaGroups       quota = "Target Groups per Application Load Balancer"
	quotaListeners    quota = "Listeners per Application Load Balancer"
	quotaInlets       quota = "Listeners per Network Load Balancer"
	quotaCertificates quota = "Certificates per Application Load Balancer"
)

// mend says what helps besides another load balancer.
func (q quota) mend() string {
	switch q {
	case quotaGroups:
		return "AWS never raises the quota: share backends"
	case quotaCertificates:
		return "have AWS raise the quota, use one certificate for several hosts"
	case quotaListeners, quotaInlets:
		return "have AWS raise the quota, ask for fewer ports"
	default:
		return "have AWS raise the quota, ask for fewer rules"
	}
}

// excess is what there is no room for, beside those that are used of most.
type excess struct {
	what       string
	used, most int
}

// overQuota tells the owner of something that is left out.
func (b *builder) overQuota(at place, severity model.Severity, q quota, e excess) {
	b.report(at, severity, "QuotaExceeded", fmt.Sprintf(
		"no room for %s: the load balancer uses %d of the %d that AWS's quota %q allows; %s, or use another load balancer",
		e.what, e.used, e.most, string(q), q.mend()))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// left is what had no room.
type left struct {
	routes       map[*intent.Route]bool
	listeners    map[*intent.Listener]bool
	certificates map[*intent.Listener][]model.ARN
}

// marked are the fragments with what is left out marked, nil where nothing is.
func (b *builder) marked() []intent.Fragment {
	if len(b.left.routes)+len(b.left.listeners)+len(b.left.certificates) == 0 {
		return nil
	}
	out := slices.Clone(b.in.Fragments)
	for i := range b.in.Fragments {
		f := &b.in.Fragments[i]
		out[i].Routes, out[i].Listeners = slices.Clone(f.Routes), slices.Clone(f.Listeners)
		for j := range f.Routes {
			out[i].Routes[j].Left = b.left.routes[&f.Routes[j]]
		}
		for j := range f.Listeners {
			l := &out[i].Listeners[j]
			l.Left, l.LeftCertificates = b.left.listeners[&f.Listeners[j]], b.left.certificates[&f.Listeners[j]]
			if l.Default != nil {
				answer := *l.Default
				answer.Left = b.left.routes[l.Default]
				l.Default = &answer
			}
		}
	}
	return out
}
