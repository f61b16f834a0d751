package build_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func verify(store string) *intent.MutualAuth {
	return &intent.MutualAuth{Mode: model.MutualVerify, TrustStore: store, Field: "mutual"}
}

func mode(mode string) *intent.MutualAuth { return &intent.MutualAuth{Mode: mode, Field: "mutual"} }

// asking is a member on port 443 with a route, whose clients show certificates or do not.
func asking(name string, m *intent.MutualAuth) intent.Fragment {
	return askingOn(name, 443, m)
}

func askingOn(name string, port int, m *intent.MutualAuth) intent.Fragment {
	f := with(name, https(port, intent.Listener{Certificates: []string{certShop}, MutualAuth: m}))
	r := route(name+".example.com", "", name)
	r.Ports = []int{port}
	f.Routes = []intent.Route{r}
	return f
}

func stores() model.Facts {
	out := facts()
	out.TrustStores = map[string]model.ARN{"a": "arn:a", "b": "arn:b", "c": "arn:c"}
	return out
}

// clientsOf is, by port, how clients show certificates and who is let through: "443 verify arn:a: here".
func clientsOf(s model.Stack) []string {
	var out []string
	for _, l := range s.Listeners {
		asks := ""
		switch {
		case l.MutualAuth != nil:
			asks = strings.TrimRight(" "+l.MutualAuth.Mode+" "+string(l.MutualAuth.TrustStore), " ")
		case l.KeepMutualAuth:
			asks = " kept"
		}
		parts := []string{strconv.Itoa(l.Port) + asks + ":"}
		for _, r := range l.Rules {
			if a := answerText(r.Actions); a != "503" {
				parts = append(parts, strings.TrimSuffix(a, ":80"))
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// TestCertificatesOfClientsThatCannotBeAskedForClose: nobody is let through who was to show a certificate (invariant 8), and nobody
// else is shut out (invariant 3).
func TestCertificatesOfClientsThatCannotBeAskedForClose(t *testing.T) {
	const missing, conflict = " Wrong mutual TrustStoreNotFound", " Wrong mutual ConflictingSetting"
	observed := verify("none")
	observed.Observed = model.MutualVerify
	weaker := verify("none")
	weaker.Observed = model.MutualPassthrough
	whole := verify("none")
	whole.Whole = true
	for _, row := range []struct {
		why      string
		members  []intent.Fragment
		before   []intent.Fragment
		want     []string
		findings []string
	}{
		{"one that is there", []intent.Fragment{asking("web", verify("a"))}, nil, []string{"443 verify arn:a: web"}, nil},
		{"one that is not there, newly", []intent.Fragment{asking("web", verify("none")), asking("here", nil)},
			[]intent.Fragment{asking("web", nil), asking("here", nil)}, []string{"443 kept: here"}, []string{"web" + missing}},
		{"the same over its last good state", []intent.Fragment{asking("web", verify("none").Over(nil)), asking("here", nil)},
			[]intent.Fragment{asking("web", nil), asking("here", nil)}, []string{"443 kept: here"}, nil},
		{"one that is not there, in place of one that is", []intent.Fragment{asking("web", verify("none").Over(verify("a")))},
			[]intent.Fragment{asking("web", verify("a"))}, []string{"443 verify arn:a: web"}, nil},
		{"in place of certificates that the backend alone looks at", []intent.Fragment{asking("web", verify("none").Over(mode(model.MutualPassthrough)))},
			[]intent.Fragment{asking("web", mode(model.MutualPassthrough))}, []string{"443 passthrough:"}, nil},
		{"AWS verifies already, and goes on", []intent.Fragment{asking("web", observed)}, nil, []string{"443 kept: web"}, []string{"web" + missing}},
		{"AWS asks for less", []intent.Fragment{asking("web", weaker)}, nil, []string{"443 kept:"}, []string{"web" + missing}},
		{"of the last good state nothing can be made either: what is observed is looked at", []intent.Fragment{asking("web", verify("none").Over(verify("gone")))},
			[]intent.Fragment{asking("web", verify("gone"))}, []string{"443 kept:"}, []string{"web" + missing}},
		{"the port belongs to one member, the routes to others", []intent.Fragment{asking("web", whole), asking("here", nil)}, nil,
			[]string{"443 kept:"}, []string{"web" + missing}},
		{"off stands", []intent.Fragment{asking("web", verify("a")), asking("here", mode(model.MutualOff))},
			[]intent.Fragment{asking("web", nil), asking("here", mode(model.MutualOff))}, []string{"443 off: here"}, []string{"web" + conflict}},
		{"verify stands", []intent.Fragment{asking("web", mode(model.MutualOff)), asking("here", verify("a"))},
			[]intent.Fragment{asking("web", nil), asking("here", verify("a"))}, []string{"443 verify arn:a: web here"}, []string{"web" + conflict}},
		{"another store stands, which lets nobody in without a certificate", []intent.Fragment{asking("web", verify("b")), asking("here", verify("a"))},
			[]intent.Fragment{asking("web", nil), asking("here", verify("a"))}, []string{"443 verify arn:a: web here"}, []string{"web" + conflict}},
		{"passthrough stands", []intent.Fragment{asking("web", verify("a")), asking("here", mode(model.MutualPassthrough))},
			[]intent.Fragment{asking("here", mode(model.MutualPassthrough))}, []string{"443 passthrough: here"}, []string{"web" + conflict}},
		{"a mode that nobody knows", []intent.Fragment{asking("web", mode("verfy"))}, nil, []string{"443 kept:"},
			[]string{"web Wrong mutual InvalidMutualAuthentication"}},
		{"a third trust store, of the first in order", []intent.Fragment{askingOn("new", 9443, verify("c")), askingOn("one", 443, verify("a")), askingOn("two", 8443, verify("b"))},
			[]intent.Fragment{askingOn("one", 443, verify("a")), askingOn("two", 8443, verify("b")), askingOn("new", 9443, nil)},
			[]string{"443 verify arn:a: one", "8443 verify arn:b: two", "9443 kept:"}, []string{"new Wrong mutual TooManyTrustStores"}},
		{"three that are new: the first two by order, not by port", []intent.Fragment{askingOn("one", 9443, verify("a")), askingOn("two", 8443, verify("b")), askingOn("three", 443, verify("c"))},
			nil, []string{"443 kept:", "8443 verify arn:b: two", "9443 verify arn:a: one"}, []string{"three Wrong mutual TooManyTrustStores"}},
		{"a store that loses its port takes no room", []intent.Fragment{asking("off", mode(model.MutualOff)), asking("lost", verify("a")), askingOn("one", 8443, verify("b")), askingOn("two", 9443, verify("c"))},
			nil, []string{"443 off: off", "8443 verify arn:b: one", "9443 verify arn:c: two"}, []string{"lost" + conflict}},
	} {
		t.Run(row.why, func(t *testing.T) {
			in := group(row.members...)
			in.Before = row.before
			got := build.Build(in, stores())
			same(t, row.why, "served", clientsOf(got.Stack), row.want)
			same(t, row.why, "findings", reasons(got), row.findings)
			slices.Reverse(in.Before)
			same(t, "invariant 10", "served", clientsOf(build.Build(in, stores()).Stack), row.want)
		})
	}
}

// TestPlainPortsAskForNoCertificates: what shall be protected by certificates is not served where AWS cannot ask for them.
func TestPlainPortsAskForNoCertificates(t *testing.T) {
	f := fragment("web", route("a.example.com", "", "web"), intent.Route{
		Ports: []int{80}, Match: intent.Match{Hosts: []string{"b.example.com"}}, Redirect: &intent.Redirect{Protocol: "HTTPS", Port: "443", StatusCode: 301},
	})
	f.Routes[0].Transforms = []model.Transform{{Type: "url-rewrite", Regex: "^/a", Replace: "/b"}}
	f.Listeners[0].MutualAuth = verify("a")
	f.Listeners[0].Default = &intent.Route{Ports: []int{80}, Forward: to("default")}
	got := build.Build(group(f), stores())
	same(t, "a redirect serves nothing", "rules", rulesOf(got.Stack, 80), []string{"a.example.com → 503", "b.example.com → HTTP_301"})
	same(t, "nor does the default backend", "answer", answerText(got.Stack.Listeners[0].DefaultActions), "503")
	same(t, "AWS refuses transforms of answers of its own", "transforms", len(got.Stack.Listeners[0].Rules[0].Transforms), 0)
}

// TestWhatIsClosedKeepsItsTargets: what a member served before stays ready behind a closed route, so that it serves at once when it is
// mended; nothing is made for one that never served.
func TestWhatIsClosedKeepsItsTargets(t *testing.T) {
	shut := func(name string) intent.Fragment {
		f := asking(name, nil)
		r := &f.Routes[0]
		r.Kept, r.Forward, r.Fixed = r.Forward, nil, &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
		return f
	}
	bad := shut("web")
	bad.Routes[0].Kept.Backends[0].Service.Group.HealthCheck.Path = "no path"
	for _, row := range []struct {
		why         string
		now, before intent.Fragment
		want        []string
	}{
		{"closed by its front door", shut("web"), asking("web", nil), []string{"shop/web-web:80"}},
		{"closed, and closed before", shut("web"), shut("web"), []string{"shop/web-web:80"}},
		{"closed for its trust store", asking("web", verify("none").Over(nil)), asking("web", nil), []string{"shop/web-web:80"}},
		{"another member had it", shut("web"), asking("other", nil), nil},
		{"another backend than before", shut("web"), func() intent.Fragment { f := asking("old", nil); f.Member = member("web"); return f }(), nil},
		{"one that AWS would refuse", bad, asking("web", nil), nil},
	} {
		in := group(row.now, asking("here", nil))
		in.Before = []intent.Fragment{row.before}
		got := build.Build(in, stores())
		var ids []string
		for _, g := range got.Stack.TargetGroups {
			if g.ID != "shop/web-here:80" {
				ids = append(ids, g.ID)
			}
		}
		same(t, row.why, "target groups", ids, row.want)
		if diff := cmp.Diff([]string{"here.example.com → here:80"}, slices.DeleteFunc(rulesOf(got.Stack, 443), func(r string) bool {
			return strings.HasSuffix(r, "503")
		})); diff != "" {
			t.Errorf("who is served (%s): %s", row.why, diff)
		}
		same(t, row.why, "findings", reasons(got), nil)
	}
}
