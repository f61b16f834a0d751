package gateway

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

// rewriting is what becomes of a rule with a path match and a URLRewrite.
func rewriting(t *testing.T, path, rewrite string) (transforms []model.Transform, findings []model.Finding) {
	t.Helper()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(`{matches: [{path: `+path+`}], backendRefs: [{name: web, port: 80}],
		filters: [{type: URLRewrite, urlRewrite: `+rewrite+`}]}`)))
	return v.routes[0].fragment.Routes[0].Transforms, v.Findings
}

// The table of the Gateway API (HTTPPathModifier.replacePrefixMatch), and queries, which stay.
func TestRewrittenPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, prefix, by, request, want string }{
		{"the rest stays", "/foo", "/xyz", "/foo/bar", "/xyz/bar"},
		{"a slash at the end of the replacement", "/foo", "/xyz/", "/foo/bar", "/xyz/bar"},
		{"a slash at the end of the prefix", "/foo/", "/xyz", "/foo/bar", "/xyz/bar"},
		{"at the end of both", "/foo/", "/xyz/", "/foo/bar", "/xyz/bar"},
		{"all of the path", "/foo", "/xyz", "/foo", "/xyz"},
		{"a slash of the request stays", "/foo", "/xyz", "/foo/", "/xyz/"},
		{"nothing in its place", "/foo", "", "/foo/bar", "/bar"},
		{"nothing is left", "/foo", "", "/foo", "/"},
		{"nor of a slash", "/foo", "", "/foo/", "/"},
		{"the root in its place", "/foo", "/", "/foo/bar", "/bar"},
		{"the root is all", "/foo", "/", "/foo", "/"},
		{"the root before what was there", "/", "/xyz", "/bar", "/xyz/bar"},
		{"a query stays", "/foo", "/", "/foo?a=/foo", "/?a=/foo"},
		{"once", "/foo", "/xyz", "/foo/foo", "/xyz/foo"},
		{"a dot is a dot", "/v1.0", "/v2", "/v1.0/a", "/v2/a"},
		{"the same is no change", "/foo", "/foo/", "/foo/bar", "/foo/bar"},
	} {
		transforms, findings := rewriting(t, `{type: PathPrefix, value: "`+c.prefix+`"}`,
			`{path: {type: ReplacePrefixMatch, replacePrefixMatch: "`+c.by+`"}}`)
		got := c.request
		for _, one := range transforms {
			got = regexp.MustCompile(one.Regex).ReplaceAllString(got, one.Replace)
		}
		if got != c.want || len(findings) > 0 {
			t.Errorf("%s: %s by %q makes %s of %s, expected %s; %v", c.why, c.prefix, c.by, got, c.request, c.want, findings)
		}
	}
}

// Redirects by the same table: AWS puts what the transform leaves of the path, without its slash, in the place of #{path}.
func TestRedirectedPrefixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, prefix, redirect, request, want string }{
		{"beside a host the rest stays", "/foo", `hostname: x.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}`, "/foo/bar", "/xyz/bar"},
		{"nothing in its place", "/foo", `hostname: x.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}`, "/foo/bar", "/bar"},
		{"nothing is left", "/foo", `port: 81, path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}`, "/foo", "/"},
		{"one letter beside a scheme", "/foo", `scheme: https, path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}`, "/foo/bar", "/x/bar"},
		{"alone the rest stays", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}`, "/foo/bar", "/xyz/bar"},
		{"all of the path", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}`, "/foo", "/xyz"},
		{"a slash at the end of the replacement", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz/}`, "/foo/bar", "/xyz/bar"},
		{"several segments", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz/a}`, "/foo/bar", "/xyz/a/bar"},
		{"the root before what was there", "/", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}`, "/bar", "/xyz/bar"},
		{"an empty path is the root", "/foo", `hostname: x.com, path: {type: ReplaceFullPath, replaceFullPath: ""}`, "/foo/bar", "/"},
		{"its rest is the prefix", "/yz", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /xyz}`, "/yz/bar", "/xyz/bar"},
		{"alone to the root is a loop for AWS", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /}`, "", ""},
		{"and so is a segment that cannot be parted", "/foo", `path: {type: ReplacePrefixMatch, replacePrefixMatch: /x/y}`, "", ""},
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(`{matches: [{path: {type: PathPrefix, value: `+c.prefix+`}}],
			filters: [{type: RequestRedirect, requestRedirect: {`+c.redirect+`}}]}`)))
		if c.want == "" {
			if len(v.Findings) != 1 || v.Findings[0].Field != "spec.rules[0].filters[0].requestRedirect.path.replacePrefixMatch" {
				t.Errorf("%s: %v", c.why, v.Findings)
			}
			continue
		}
		r, left := v.routes[0].fragment.Routes[0], c.request
		for _, one := range r.Transforms {
			left = regexp.MustCompile(one.Regex).ReplaceAllString(left, one.Replace)
		}
		path := r.Redirect.Path
		if path == "" {
			path = "/#{path}" // AWS's default
		}
		got := strings.ReplaceAll(path, "#{path}", strings.TrimPrefix(left, "/"))
		if got != c.want || len(v.Findings) > 0 {
			t.Errorf("%s: %s goes to %s, expected %s; %v", c.why, c.request, got, c.want, v.Findings)
		}
		if r.Redirect.Path == "" && r.Redirect.Host == "" && r.Redirect.Protocol == "" && !strings.Contains(c.redirect, "port") {
			t.Errorf("%s: AWS takes it for a loop", c.why)
		}
	}
}

func TestRewrites(t *testing.T) {
	t.Parallel()
	const prefix, exact = `{type: PathPrefix, value: /a}`, `{type: Exact, value: /a}`
	for _, c := range []struct {
		why, path, rewrite, refused string
		want                        []model.Transform
	}{
		{why: "a host", path: prefix, rewrite: `{hostname: x.com}`, want: []model.Transform{{Type: "host-header-rewrite", Regex: "^.*$", Replace: "x.com"}}},
		{why: "a path as a whole", path: exact, rewrite: `{path: {type: ReplaceFullPath, replaceFullPath: /b}}`,
			want: []model.Transform{{Type: "url-rewrite", Regex: "^[^?]*", Replace: "/b"}}},
		{why: "both", path: prefix, rewrite: `{hostname: x.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}`, want: []model.Transform{
			{Type: "host-header-rewrite", Regex: "^.*$", Replace: "x.com"}, {Type: "url-rewrite", Regex: "^/a", Replace: "/b"}}},
		{why: "an exact path has no prefix", path: exact, rewrite: `{path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}`,
			refused: "spec.rules[0].filters[0].urlRewrite.path.replacePrefixMatch"},
		{why: "a dollar sign would name a group", path: exact, rewrite: `{path: {type: ReplaceFullPath, replaceFullPath: /b$1}}`,
			refused: "spec.rules[0].filters[0].urlRewrite.path"},
	} {
		got, findings := rewriting(t, c.path, c.rewrite)
		refused := ""
		if len(findings) > 0 {
			refused = findings[0].Field
		}
		if diff := cmp.Diff(c.want, got); diff != "" || refused != c.refused || len(findings) > 1 {
			t.Errorf("invariant 11: %s: refused %q, expected %q; %s", c.why, refused, c.refused, diff)
		}
	}
}
