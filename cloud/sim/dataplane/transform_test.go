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
