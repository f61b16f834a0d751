package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// sights are what an observation looks at: everything; certificates only where the stack has or wants some, for they are costly to find.
func (a *attempt) sights() []model.Key {
	wants := func(f intent.Fragment) bool {
		return slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool { return l.Request != nil || len(l.Secrets) > 0 })
	}
	had := false
	for _, r := range a.state.object.Spec.Resources {
		had = had || strings.HasPrefix(r.Key, string(model.KindCertificate)+"/")
	}
	good := slices.Collect(maps.Values(a.state.good))
	if had || slices.ContainsFunc(good, wants) || slices.ContainsFunc(a.req.Intent.Fragments, wants) {
		return []model.Key{{Kind: model.KindCertificate}}
	}
	return nil
}
