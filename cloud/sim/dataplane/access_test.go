package dataplane

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// logged closes a world and gives the lines of its access logs.
func (w *world) logged(bucket string) []string {
	w.t.Helper()
	return w.loggedAs(bucket, `123456789012_elasticloadbalancing_eu-west-1_app\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_127\.0\.0\.1_`)
}

// loggedAs closes a world and gives the lines of the logs in a bucket, whose files all begin as the pattern says.
func (w *world) loggedAs(bucket, begin string) []string {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	var all []string
	err := filepath.WalkDir(bucket, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := regexp.MustCompile(`AWSLogs/123456789012/elasticloadbalancing/eu-west-1/\d{4}/\d\d/\d\d/` + begin + `[0-9a-f]{8}\.log\.gz$`)
		if !name.MatchString(path) {
			w.t.Errorf("a file of the name %s", path)
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer closeBody(file)
		z, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(z)
		all = append(all, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestAccessLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, Options{AccessLogs: dir, Speed: 1})
	lb := &w.config.LoadBalancers[0]
	lb.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
	lb.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "web"}
	b := newBackend(t, "hello", nil)
	w.group(groupARN, nil, b.address)
	moved := Rule{ARN: "2", Priority: 2, Conditions: []elbtypes.RuleCondition{paths("/moved")}, Actions: []elbtypes.Action{redirectTo(elbtypes.RedirectActionConfig{
		StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301, Host: aws.String("b.test"), Port: aws.String("80"),
	})}}
	at := w.listen("HTTPS", moved, always(forwardTo(groupARN)))
	w.listener().CertificateARNs = []string{"arn:certificate"}
	w.secure("ELBSecurityPolicy-FS-1-2-Res-2020-10", selfSigned(t, curve(t), "x"))
	c := client(t)
	send(t, c, "https://"+at+"/x?y=%22", func(r *http.Request) { r.Header.Set("User-Agent", `a "quoted" agent`) })
	send(t, c, "https://"+at+"/moved", nil)
	send(t, c, "https://"+at+"/", func(r *http.Request) { r.Method = http.MethodTrace })
	const moment, number, trace = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`, `\d+\.\d{3}`, `TID_[0-9a-f]{32}`
	head := `https ` + moment + ` app/web/50dc6c495c0c9188 127\.0\.0\.1:\d+ `
	tls := `ECDHE-ECDSA-AES128-GCM-SHA256 TLSv1\.2 `
	lines := w.logged(filepath.Join(dir, "logs", "web"))
	for i, want := range []string{
		head + regexp.QuoteMeta(b.address) + ` ` + number + ` ` + number + ` ` + number + ` 200 200 \d+ 5 "GET https://127\.0\.0\.1:\d+/x\?y=%22 HTTP/1\.1" "a \\"quoted\\" agent" ` +
			tls + `group/one "Root=1-[0-9a-f-]+" "-" "arn:certificate" 0 ` + moment + ` "forward" "-" "-" "` + regexp.QuoteMeta(b.address) + `" "200" "-" "-" ` + trace + ` "-" "-" "-"`,
		head + `- -1 -1 -1 301 - \d+ 134 "GET .*" ".*" ` + tls + `- "-" "-" "arn:certificate" 2 ` + moment + ` "redirect" "https://b\.test:80/moved" "-" "-" "-" "-" "-" ` + trace + ` "-" "-" "-"`,
		head + `- -1 -1 -1 405 - \d+ 122 "TRACE .*" ".*" ` + tls + `- "-" "-" "arn:certificate" - ` + moment + ` "-" "-" "-" "-" "-" "-" "-" ` + trace + ` "-" "-" "-"`,
	} {
		if i >= len(lines) || !regexp.MustCompile("^"+want+"$").MatchString(lines[i]) {
			t.Errorf("line %d of %q, want %s", i, lines, want)
		}
	}
}

func TestAccessLogsOfWhatWentWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := newIdentity(t, nil)
	w := newWorld(t, Options{AccessLogs: dir, Speed: 1})
	lb := &w.config.LoadBalancers[0]
	lb.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
	lb.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs"}
	at := w.listen("HTTP", always(first(jwtAction(i), fixedAction("200", "in"))...))
	send(t, client(t), "http://"+at+"/", nil)
	_, _ = askTwice(t, at, "GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n")
	_, _ = askTwice(t, at, "G@T / HTTP/1.1\r\nHost: a.test\r\n\r\n")
	lines := strings.Join(w.logged(filepath.Join(dir, "logs")), "\n")
	for _, want := range []string{
		`"jwt-validation" "-" "JWTHeaderNotPresent"`, `"Acceptable" "SpaceInUri"`, `400 - `, `"- http://-:`, `"Severe" "BadMethod"`,
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("%s is missing in\n%s", want, lines)
		}
	}
}
