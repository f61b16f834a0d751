package dataplane

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

func redirectTo(c elbtypes.RedirectActionConfig) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &c}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		config elbtypes.RedirectActionConfig
		target string
		want   string
	}{
		{
			"to HTTPS", elbtypes.RedirectActionConfig{Protocol: aws.String("HTTPS"), Port: aws.String("443")}, "/a/b?c=d",
			"https://shop.test:443/a/b?c=d",
		},
		{
			"keywords that keep everything are the default", elbtypes.RedirectActionConfig{Host: aws.String("www.#{host}")}, "/a?b",
			"http://www.shop.test:PORT/a?b",
		},
		{
			"keywords in the path", elbtypes.RedirectActionConfig{Path: aws.String("/#{host}/#{port}/#{path}/x")}, "/a/b",
			"http://shop.test:PORT/shop.test/PORT/a/b/x",
		},
		{"an empty query has no question mark", elbtypes.RedirectActionConfig{Query: aws.String("")}, "/a?b=c", "http://shop.test:PORT/a"},
		{
			"keywords in the query", elbtypes.RedirectActionConfig{Query: aws.String("from=#{path}&#{query}&by=#{protocol}")}, "/a?b=c",
			"http://shop.test:PORT/a?from=a&b=c&by=http",
		},
		{"encoding stays", elbtypes.RedirectActionConfig{Path: aws.String("/new/#{path}")}, "/a%20b", "http://shop.test:PORT/new/a%20b"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			at := w.listen("HTTP", always(redirectTo(row.config)))
			_, port, _ := strings.Cut(at, ":")
			got := send(t, client(t), "http://"+at+row.target, func(r *http.Request) { r.Host = "shop.test:99" })
			if want := strings.ReplaceAll(row.want, "PORT", port); got.Header.Get("Location") != want {
				t.Errorf("Location %q, want %q", got.Header.Get("Location"), want)
			}
		})
	}
}

// A generated response is compared whole: status line, headers, body.
func TestGeneratedResponses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	rules := []Rule{
		{Conditions: []elbtypes.RuleCondition{paths("/moved")}, Actions: []elbtypes.Action{redirectTo(elbtypes.RedirectActionConfig{
			StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Host: aws.String("b.test"), Port: aws.String("80"),
		})}},
		{Conditions: []elbtypes.RuleCondition{paths("/found")}, Actions: []elbtypes.Action{redirectTo(elbtypes.RedirectActionConfig{
			StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp302, Host: aws.String("b.test"), Port: aws.String("80"),
		})}},
		{Conditions: []elbtypes.RuleCondition{paths("/json")}, Actions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
				StatusCode: aws.String("418"), ContentType: aws.String("application/json"), MessageBody: aws.String(`{"#{host}":1}`),
			},
		}}},
		{Conditions: []elbtypes.RuleCondition{paths("/plain")}, Actions: []elbtypes.Action{fixedAction("200", "hello")}},
		always(forwardTo("group/none")),
	}
	for i := range rules {
		rules[i].ARN += strings.Repeat("r", i)
	}
	at := w.listen("HTTP", rules...)
	unavailable := `HTTP/1.1 503 Service Unavailable
Content-Length: 162
Content-Type: text/html
Server: awselb/2.0
Connection: close

<html>
<head><title>503 Service Temporarily Unavailable</title></head>
<body>
<center><h1>503 Service Temporarily Unavailable</h1></center>
</body>
</html>
`
	for _, row := range []struct{ why, request, want string }{
		{"a permanent redirect", "GET /moved?x HTTP/1.1", `HTTP/1.1 301 Moved Permanently
Content-Length: 134
Content-Type: text/html
Location: http://b.test:80/moved?x
Server: awselb/2.0
Connection: close

<html>
<head><title>301 Moved Permanently</title></head>
<body>
<center><h1>301 Moved Permanently</h1></center>
</body>
</html>
`},
		{"a temporary redirect to HEAD", "HEAD /found HTTP/1.1", `HTTP/1.1 302 Found
Content-Length: 110
Content-Type: text/html
Location: http://b.test:80/found
Server: awselb/2.0
Connection: close

`},
		{"a fixed response is sent as it is", "GET /json HTTP/1.1", `HTTP/1.1 418 I'm a teapot
Content-Length: 13
Content-Type: application/json; charset=utf-8
Server: awselb/2.0
Connection: close

{"#{host}":1}`},
		{"plain text is the default", "GET /plain HTTP/1.1", `HTTP/1.1 200 OK
Content-Length: 5
Content-Type: text/plain; charset=utf-8
Server: awselb/2.0
Connection: close

hello`},
		{"no target group", "GET / HTTP/1.1", unavailable},
		{"TRACE is not allowed", "TRACE /plain HTTP/1.1", `HTTP/1.1 405 Method Not Allowed
Content-Length: 122
Content-Type: text/html
Server: awselb/2.0
Connection: close

<html>
<head><title>405 Not Allowed</title></head>
<body>
<center><h1>405 Not Allowed</h1></center>
</body>
</html>
`},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := speak(t, at, row.request+"\r\nHost: a.test\r\nConnection: close\r\n\r\n")
			var kept []string
			for line := range strings.SplitSeq(strings.ReplaceAll(got, "\r\n", "\n"), "\n") {
				if !strings.HasPrefix(line, "Date: ") {
					kept = append(kept, line)
				}
			}
			if diff := cmp.Diff(row.want, strings.Join(kept, "\n")); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimitsOfRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(fixedAction("200", "")))
	for _, row := range []struct {
		why    string
		change func(*http.Request)
		want   int
	}{
		{"thirty addresses are allowed", func(r *http.Request) { r.Header.Set("X-Forwarded-For", strings.Repeat("1.1.1.1, ", 29)+"1.1.1.1") }, 200},
		{"more than thirty are not", func(r *http.Request) { r.Header.Set("X-Forwarded-For", strings.Repeat("1.1.1.1, ", 30)+"1.1.1.1") }, 463},
		{"a long target", func(r *http.Request) { r.URL.RawQuery = strings.Repeat("x", maxLine) }, http.StatusRequestURITooLong},
		{"a long header", func(r *http.Request) { r.Header.Set("X", strings.Repeat("x", maxLine)) }, http.StatusBadRequest},
		{"long headers together", func(r *http.Request) {
			for _, name := range []string{"A", "B", "C", "D", "E"} {
				r.Header.Set(name, strings.Repeat("x", maxLine-100))
			}
		}, http.StatusBadRequest},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			if got := send(t, client(t), "http://"+at, row.change); got.StatusCode != row.want {
				t.Errorf("status %d, want %d", got.StatusCode, row.want)
			}
		})
	}
}

func TestActionsThatCannotBeServedClose(t *testing.T) {
	t.Parallel()
	open := fixedAction("200", "secret")
	for _, row := range []struct {
		why     string
		actions []elbtypes.Action
	}{
		{"no action", nil},
		{"sign-in without its settings", first(elbtypes.Action{Type: elbtypes.ActionTypeEnumAuthenticateOidc}, open)},
		{"a user pool that is none", first(elbtypes.Action{
			Type: elbtypes.ActionTypeEnumAuthenticateCognito, AuthenticateCognitoConfig: &elbtypes.AuthenticateCognitoActionConfig{UserPoolArn: aws.String("x")},
		}, open)},
		{"tokens without settings, in the wrong order", []elbtypes.Action{
			{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: open.FixedResponseConfig, Order: aws.Int32(2)},
			{Type: elbtypes.ActionTypeEnumJwtValidation, Order: aws.Int32(1)},
		}},
		{"two answers", first(open, open)},
		{"nothing but a gate", first(jwtAction(&identity{}))},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			at := w.listen("HTTP")
			w.listener().Rules = []Rule{always(row.actions...)}
			if err := w.update(); !errors.Is(err, errAction) {
				t.Errorf("applying: %v", err)
			}
			if got := get(t, "http://"+at); got.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("status %d %q", got.StatusCode, got.body)
			}
		})
	}
}
