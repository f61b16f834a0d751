package dataplane

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestTransforms(t *testing.T) {
	t.Parallel()
	rewrites := func(regex, replace string) []elbtypes.RewriteConfig {
		return []elbtypes.RewriteConfig{{Regex: aws.String(regex), Replace: aws.String(replace)}}
	}
	target := func(regex, replace string) elbtypes.RuleTransform {
		return elbtypes.RuleTransform{
			Type: elbtypes.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &elbtypes.UrlRewriteConfig{Rewrites: rewrites(regex, replace)},
		}
	}
	host := func(regex, replace string) elbtypes.RuleTransform {
		return elbtypes.RuleTransform{
			Type:                    elbtypes.TransformTypeEnumHostHeaderRewrite,
			HostHeaderRewriteConfig: &elbtypes.HostHeaderRewriteConfig{Rewrites: rewrites(regex, replace)},
		}
	}
	for _, row := range []struct {
		why        string
		transforms []elbtypes.RuleTransform
		want       string
	}{
		{"a prefix is cut", []elbtypes.RuleTransform{target("^/api/(.*)$", "/$1")}, "200 a.test /v1/x?q=1"},
		{"a group next to letters", []elbtypes.RuleTransform{target("^/api/v(1)", "/v$10x$1st")}, "200 a.test /vx1st/x?q=1"},
		{"the query is part of it", []elbtypes.RuleTransform{target(`\?q=(.*)$`, "?p=$1&new")}, "200 a.test /api/v1/x?p=1&new"},
		{"only the first match is replaced", []elbtypes.RuleTransform{target("/", "/z/")}, "200 a.test /z/api/v1/x?q=1"},
		{"no match changes nothing", []elbtypes.RuleTransform{target("^/none", "/x")}, "200 a.test /api/v1/x?q=1"},
		{"a dollar sign that names no group stays", []elbtypes.RuleTransform{target("^/api", "/$")}, "200 a.test /$/v1/x?q=1"},
		{"the host", []elbtypes.RuleTransform{host(`^a\.(.*)$`, "internal.$1")}, "200 internal.test /api/v1/x?q=1"},
		{"both", []elbtypes.RuleTransform{host("a", "b"), target("/api", "")}, "200 b.test /v1/x?q=1"},
		{"a result that is no path", []elbtypes.RuleTransform{target("^/api/", "")}, "500"},
		{"a host that is none", []elbtypes.RuleTransform{host("a", "b/")}, "500"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Attributes["routing.http.preserve_host_header.enabled"] = "true"
			b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host+" "+r.RequestURI) })
			w.group(groupARN, nil, b.address)
			rule := always(forwardTo(groupARN))
			rule.Transforms = row.transforms
			at := w.listen("HTTP", rule)
			got := send(t, client(t), "http://"+at+"/api/v1/x?q=1", func(r *http.Request) { r.Host = "a.test" })
			if text := fmt.Sprintf("%d %s", got.StatusCode, got.body); text != row.want && !strings.HasPrefix(text, row.want+" <html>") {
				t.Errorf("the target saw %q, want %q", text, row.want)
			}
		})
	}
}

// The incumbent's guide shows that a prefix is replaced and the rest of the path stays where a rule redirects; a transform that fails is 500 as
// it is for a target.
func TestRedirectAfterTransforms(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, regex, replace, path, sent, want string
	}{
		{"a prefix is replaced, the rest and the query stay", "^/old", "/new", "", "/old/a/b?q=1", "http://b.test:80/new/a/b?q=1"},
		{"the prefix alone", "^/old", "/new", "", "/old", "http://b.test:80/new"},
		{"the path of the redirect is put around it", "^/old", "/ew", "/n#{path}", "/old/a", "http://b.test:80/new/a"},
		{"no match changes nothing", "^/none", "/x", "", "/old", "http://b.test:80/old"},
		{"what fails is not redirected", "^/old/", "", "", "/old/a", ""},
	} {
		w := newWorld(t, Options{})
		to := elbtypes.RedirectActionConfig{Host: aws.String("b.test"), Port: aws.String("80")}
		if row.path != "" {
			to.Path = &row.path
		}
		rule := always(redirectTo(to))
		rule.Transforms = []elbtypes.RuleTransform{{
			Type: elbtypes.TransformTypeEnumUrlRewrite, UrlRewriteConfig: &elbtypes.UrlRewriteConfig{
				Rewrites: []elbtypes.RewriteConfig{{Regex: &row.regex, Replace: &row.replace}},
			},
		}}
		got := get(t, "http://"+w.listen("HTTP", rule)+row.sent)
		if got.Header.Get("Location") != row.want || (row.want == "") != (got.StatusCode == http.StatusInternalServerError) {
			t.Errorf("%s: %d to %q, want %q", row.why, got.StatusCode, got.Header.Get("Location"), row.want)
		}
	}
}

func TestBrokenTransformRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, newBackend(t, "one", nil).address)
	rule := always(forwardTo(groupARN))
	rule.Transforms = []elbtypes.RuleTransform{{Type: elbtypes.TransformTypeEnumUrlRewrite}}
	at := w.listen("HTTP")
	w.listener().Rules = []Rule{rule}
	if err := w.update(); err == nil {
		t.Error("no error")
	}
	if got := get(t, "http://"+at).StatusCode; got != http.StatusInternalServerError {
		t.Errorf("status %d", got)
	}
}
