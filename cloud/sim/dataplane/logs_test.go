package dataplane

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// keepLog makes the load balancer of a world keep a log in the bucket logs.
func (w *world) keepLog(kind, id string) {
	lb := &w.config.LoadBalancers[0]
	lb.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/" + id
	lb.Attributes[kind+".s3.enabled"], lb.Attributes[kind+".s3.bucket"] = "true", "logs"
}

// wantLines demands that each pattern fits a line, in any order, and that there are no others.
func wantLines(tb testing.TB, lines []string, patterns ...string) {
	tb.Helper()
	if len(lines) != len(patterns) {
		tb.Errorf("%d lines, want %d:\n%s", len(lines), len(patterns), strings.Join(lines, "\n"))
	}
	for _, p := range patterns {
		whole := regexp.MustCompile("^" + p + "$")
		if !slices.ContainsFunc(lines, whole.MatchString) {
			tb.Errorf("no line is %s in\n%s", p, strings.Join(lines, "\n"))
		}
	}
}

const logMoment = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`

func TestConnectionLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, stranger := newAuthority(t, "root", nil), newAuthority(t, "stranger", nil)
	w := newWorld(t, Options{AccessLogs: dir, Speed: 1})
	w.keepLog(connectionLog, "app/web/50dc6c495c0c9188")
	answer := always(fixedAction("200", "in"))
	secure := w.listen("HTTPS", answer)
	w.listener().MutualTLS = MutualTLS{Mode: mutualVerify, Trust: &TrustStore{
		Authorities: []*x509.Certificate{root.certificate}, Revocations: []*x509.RevocationList{root.revoke(t, 7)},
	}}
	w.listener().Certificates = []*tls.Certificate{selfSigned(t, curve(t), "x")}
	w.listener().Policy = Policy{Name: "old", Protocols: []string{"TLSv1.2"}, Ciphers: []string{"ECDHE-ECDSA-AES128-GCM-SHA256"}}
	plain := w.listen("HTTP", answer)
	send(t, client(t), "http://"+plain+"/", nil)
	send(t, client(t), "http://"+plain+"/", nil)
	key := curve(t)
	change := func(serial int64, since, until time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.SerialNumber.SetInt64(serial)
			c.NotBefore, c.NotAfter = since, until
		}
	}
	early, past, later := time.Unix(1e9, 0), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, one := range []*tls.Certificate{
		root.issue(t, key, nil), stranger.issue(t, key, change(5, early, later)), root.issue(t, key, change(7, early, later)),
		root.issue(t, key, change(8, early, past)), root.issue(t, key, change(9, later, later.Add(time.Hour))), nil,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+secure+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_ = try(present(t, one), r) // the log says how it went
	}
	peer := logMoment + ` 127\.0\.0\.1 \d+ `
	port := func(at string) string { return at[strings.LastIndex(at, ":")+1:] }
	agreed, end := `TLSv1\.2 ECDHE-ECDSA-AES128-GCM-SHA256 `, ` TID_[0-9a-f]{32} (x25519|secp256r1) app/web/50dc6c495c0c9188 127\.0\.0\.1`
	failed := func(serial, code string) string {
		return peer + port(secure) + ` ` + agreed + `- "CN=client,O=Test" NotBefore=\S+Z;NotAfter=\S+Z ` + serial + ` Failed:` + code + end
	}
	unsecured := peer + port(plain) + ` - - - "-" - - - TID_[0-9a-f]{32} - app/web/50dc6c495c0c9188 127\.0\.0\.1`
	wantLines(t, w.loggedAs(filepath.Join(dir, "logs"), `conn_log_123456789012_elasticloadbalancing_eu-west-1_app\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_127\.0\.0\.1_`),
		unsecured, unsecured,
		peer+port(secure)+` `+agreed+`\d+\.\d{3} "CN=client,O=Test" NotBefore=2001-09-09T01:46:40Z;NotAfter=2128-06-11T08:53:20Z 03A5B1 Success`+end,
		failed("05", "ClientCertUntrusted"), failed("07", "ClientCertCrlHit"), failed("08", "ClientCertExpired"), failed("09", "ClientCertNotYetValid"),
		peer+port(secure)+` `+agreed+`- "-" - - Failed:UnmappedConnectionError`+end,
	)
}

func TestNLBAccessLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, Options{AccessLogs: dir})
	w.keepLog(accessLog, "net/web/50dc6c495c0c9188")
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"))
	without := w.listen("TLS", always(forwardTo(groupARN)))
	with, plain := w.listen("TLS", always(forwardTo(groupARN))), w.listen("TCP", always(forwardTo(groupARN)))
	for i := range w.config.LoadBalancers[0].Listeners[:2] {
		l := &w.config.LoadBalancers[0].Listeners[i]
		l.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/web/50dc6c495c0c9188/" + []string{"aa", "bb"}[i]
		l.Certificates, l.CertificateARNs = []*tls.Certificate{selfSigned(t, curve(t), "a", "a.test")}, []string{"arn:certificate"}
		l.Policy = Policy{Name: "old", Protocols: []string{"TLSv1.2"}, Ciphers: []string{"ECDHE-ECDSA-AES128-GCM-SHA256"}}
	}
	w.config.LoadBalancers[0].Listeners[1].ALPN = "HTTP2Preferred"
	w.apply()
	w.await(groupARN, healthy)
	for _, at := range []string{without, with} {
		c, _, err := shakeHands(t, at, "a.test", "h2", "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		want(t, at, c.say("12345"), "one 127.0.0.1 12345")
		closeWrite(c.Conn)
		want(t, at, c.hear(), "one bye")
		closeBody(c.Conn)
	}
	distrust := tls.Client(talk(t, without), &tls.Config{ServerName: "a.test"})
	if err := distrust.HandshakeContext(t.Context()); err == nil {
		t.Error("a client that trusts nobody is content")
	}
	_, _ = io.WriteString(talk(t, without), "no TLS at all\n")
	c := talk(t, plain)
	want(t, "TCP is not logged", c.say("x"), "one 127.0.0.1 x")
	second := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`
	head := func(listener, at string) string {
		return `tls 2\.0 ` + second + ` net/web/50dc6c495c0c9188 ` + listener + ` 127\.0\.0\.1:\d+ ` + regexp.QuoteMeta(at) + ` \d+ \d+ `
	}
	wantLines(t, w.loggedAs(filepath.Join(dir, "logs"), `123456789012_elasticloadbalancing_eu-west-1_net\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_`),
		head("aa", without)+`6 28 - arn:certificate - ECDHE-ECDSA-AES128-GCM-SHA256 tlsv12 - a\.test - - - `+second,
		head("bb", with)+`6 28 - arn:certificate - ECDHE-ECDSA-AES128-GCM-SHA256 tlsv12 - a\.test h2 - "h2","http/1\.1" `+second,
		head("aa", without)+`0 0 42 arn:certificate - - - - a\.test - - - `+second,
		head("aa", without)+`0 0 - - - - - - - - - - `+second,
	)
}

func TestHealthCheckLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, Options{AccessLogs: dir})
	w.keepLog(healthLog, "app/web/50dc6c495c0c9188")
	well := newBackend(t, "hello", nil)
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	broken, moved := newBackend(t, "", status(503)), newBackend(t, "", status(301))
	w.group(groupARN, func(g *TargetGroup) {
		g.Settings.TargetGroupName, g.Settings.HealthCheckPath = aws.String("pods"), aws.String("/")
	}, well.address, broken.address, moved.address, "127.0.0.1:1")
	w.group(groupTwoARN, nil, well.address) // behind no load balancer with a log
	w.listen("HTTP", always(forwardTo(groupARN)))
	w.awaitThat(groupARN, func(h TargetHealth) bool { return h.State == healthy || h.State == unhealthy })
	line := func(at, rest string) *regexp.Regexp {
		return regexp.MustCompile(`(?m)^http ` + logMoment + ` \d+\.\d{9} ` + regexp.QuoteMeta(at) + ` ` + rest + ` app/web/50dc6c495c0c9188 127\.0\.0\.1$`)
	}
	lines := w.loggedAs(filepath.Join(dir, "logs"), `health_check_log_123456789012_elasticloadbalancing_eu-west-1_app\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_127\.0\.0\.1_`)
	for _, one := range []*regexp.Regexp{
		line(well.address, `pods PASS 200 -`), line(broken.address, `pods FAIL 503 TargetError`), line(moved.address, `pods FAIL 301 ResponseCodeMismatch`),
		line("127.0.0.1:1", `pods FAIL - ConnectionReset`),
	} {
		if !slices.ContainsFunc(lines, one.MatchString) {
			t.Errorf("no line is %s in\n%s", one, strings.Join(lines, "\n"))
		}
	}
	for _, l := range lines {
		if !strings.Contains(l, " pods ") {
			t.Errorf("a line of a group of which there is no log: %s", l)
		}
	}
}
