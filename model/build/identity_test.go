package build_test

import (
	"testing"

	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// twins are two members whose Services have one resource ID, as the hyphens of their names allow.
func twins() (ab, a intent.Fragment) {
	fragmentOf := func(name, service string) intent.Fragment {
		r := route(name+".example.com", "", service)
		r.Forward.Backends[0].Service.ID = "ns/a-b-c:80"
		return fragment(name, r)
	}
	return fragmentOf("a-b", "c"), fragmentOf("a", "b-c")
}

func TestBackendsOfOneResourceIDAreKeptApart(t *testing.T) {
	ab, a := twins()
	for _, row := range []struct {
		why    string
		in     intent.Intent
		before []intent.Fragment
		// plain is the Service that keeps the incumbent's ID.
		plain string
	}{
		{"the first has the ID", group(ab, a), nil, "c"},
		{"the first has the ID, the other way round", group(a, ab), nil, "b-c"},
		{"whoever stands keeps it", group(a, ab), []intent.Fragment{ab}, "c"},
		{"who stood for something else has no claim", group(a, ab), []intent.Fragment{fragment("a-b", route("x.example.com", "", "c"))}, "b-c"},
	} {
		row.in.Before = row.before
		got := build.Build(row.in, facts())
		services := map[string]string{}
		for _, g := range got.Stack.TargetGroups {
			services[g.ID] = g.Backend.Service
		}
		if len(services) != 2 || services["ns/a-b-c:80"] != row.plain {
			t.Errorf("%s: got %v, want two groups, and the plain ID for %s", row.why, services, row.plain)
		}
		for _, r := range got.Stack.Listeners[0].Rules {
			hosts, _ := r.Hosts()
			want := map[string]string{"a-b.example.com": "c", "a.example.com": "b-c"}[hosts[0]]
			if served := services[r.Actions[0].Forward.Groups[0].Key]; served != want {
				t.Errorf("%s: %s is served by %s, want %s: another tenant's pods", row.why, hosts[0], served, want)
			}
		}
	}
	alone := build.Build(group(a), facts())
	same(t, "where nothing collides the ID is the incumbent's", "ID", alone.Stack.TargetGroups[0].ID, "ns/a-b-c:80")
}
