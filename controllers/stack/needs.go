package stack

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Needs says which facts the build of in will want.
func Needs(in intent.Intent) model.Needs {
	need := model.Needs{Owner: in.Owner}
	for _, f := range in.Fragments {
		needsOfNetwork(&need, f.Settings.Subnets, f.Settings.SecurityGroups)
		if front := f.Settings.Frontend; front != nil {
			needsOfNetwork(&need, front.Subnets, front.SecurityGroups)
		}
		needsOfAddons(&need, f.Settings.Addons)
		needsOfListeners(&need, f)
		for _, r := range f.Routes {
			needsOfRoute(&need, r)
		}
	}
	for _, list := range []*[]string{
		&need.SubnetIDs, &need.SubnetNames, &need.SecurityGroupNames, &need.SecurityGroupIDs, &need.TargetGroupNames, &need.TrustStores, &need.WebACLs,
		&need.ClassicWebACLs, &need.CertificateHosts, &need.PrefixLists,
	} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.Sort(need.CertificateARNs)
	need.CertificateARNs = slices.Compact(need.CertificateARNs)
	return need
}

func needsOfNetwork(need *model.Needs, subnets, groups []string) {
	for _, s := range subnets {
		if strings.HasPrefix(s, "subnet-") {
			need.SubnetIDs = append(need.SubnetIDs, s)
		} else {
			need.SubnetNames = append(need.SubnetNames, s)
		}
	}
	for _, s := range groups {
		if strings.HasPrefix(s, "sg-") {
			need.SecurityGroupIDs = append(need.SecurityGroupIDs, s)
		} else {
			need.SecurityGroupNames = append(need.SecurityGroupNames, s)
		}
	}
}

// manyRanges are more than a security group takes rules by default: whether this account's take more, only those in use show.
const manyRanges = 60

func needsOfListeners(need *model.Needs, f intent.Fragment) {
	for _, l := range f.Listeners {
		if l.Protocol == "HTTPS" && len(l.Certificates) == 0 && l.Request == nil {
			need.Certificates = true
			need.CertificateHosts = append(need.CertificateHosts, l.DiscoverHosts...)
		}
		for m := l.MutualAuth; m != nil; m = m.Good {
			if m.TrustStore != "" {
				need.TrustStores = append(need.TrustStores, m.TrustStore)
			}
		}
		for _, c := range l.Certificates {
			need.CertificateARNs = append(need.CertificateARNs, model.ARN(c))
		}
		need.PrefixLists = append(need.PrefixLists, l.PrefixLists...)
		need.GroupRules = need.GroupRules || len(l.InboundCIDRs) > manyRanges
		if l.Default != nil {
			needsOfRoute(need, *l.Default)
		}
	}
}

func needsOfRoute(need *model.Needs, r intent.Route) {
	if r.Forward == nil {
		return
	}
	for _, b := range r.Forward.Backends {
		if b.TargetGroupName != "" {
			need.TargetGroupNames = append(need.TargetGroupNames, b.TargetGroupName)
		}
	}
}
