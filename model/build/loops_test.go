package build_test

import (
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestRankedRedirectsToThemselves (invariants 8, 11): what of a route would redirect to itself is not served, and its owner is told; a redirect that
// changes the path by a transform is none of them.
func TestRankedRedirectsToThemselves(t *testing.T) {
	moved := func(by string) []model.Transform {
		return []model.Transform{{Type: "url-rewrite", Regex: "^/a", Replace: by}}
	}
	for _, row := range []struct {
		why        string
		hosts      []string
		to         intent.Redirect
		transforms []model.Transform
		// path is that of the redirect, by what the transform replaces the prefix; none is no rule.
		path, by string
		finding  string
	}{
		{"another host", []string{"a.example.com"}, intent.Redirect{Host: "b.example.com"}, nil, "/#{path}", "", ""},
		{"its own host", []string{"a.example.com"}, intent.Redirect{Host: "a.example.com"}, nil, "", "", "RedirectLoop"},
		{"its own port", nil, intent.Redirect{Port: "80"}, nil, "", "", "RedirectLoop"},
		{"one of its hosts", []string{"a.example.com", "b.example.com"}, intent.Redirect{Host: "a.example.com"}, nil, "/#{path}", "", "PartiallyInvalid"},
		{"another prefix on its own host", []string{"a.example.com"}, intent.Redirect{Host: "a.example.com"}, moved("/new"), "/n#{path}", "/ew", ""},
		{"another prefix on another host", []string{"a.example.com"}, intent.Redirect{Host: "b.example.com"}, moved("/new"), "/#{path}", "/new", ""},
		{"another prefix by another scheme", []string{"a.example.com"}, intent.Redirect{Protocol: "HTTPS"}, moved("/new"), "/#{path}", "/new", ""},
		{"a prefix that AWS would take for a loop", []string{"a.example.com"}, intent.Redirect{Host: "a.example.com"}, moved("/"), "", "", "InvalidRedirect"},
		{"a prefix that is parted already", []string{"a.example.com"}, intent.Redirect{Path: "/n#{path}"}, moved("/ew"), "/n#{path}", "/ew", ""},
	} {
		r := intent.Route{Ports: []int{80}, Match: intent.Match{Hosts: row.hosts, Paths: paths(intent.PathPrefix, "/a")}, Transforms: row.transforms, Field: "f"}
		row.to.StatusCode = 301
		r.Redirect = &row.to
		in := group(fragment("web", r))
		in.Order = intent.BySpecificity
		got := build.Build(in, facts())
		path, by := "", ""
		for _, rule := range got.Stack.Listeners[0].Rules {
			path = rule.Actions[0].Redirect.Path
			for _, one := range rule.Transforms {
				by = one.Replace
			}
		}
		same(t, row.why, "path and transform", []string{path, by}, []string{row.path, row.by})
		finding := ""
		if len(got.Findings) > 0 {
			finding = got.Findings[0].Reason
		}
		same(t, row.why, "finding", finding, row.finding)
	}
}
