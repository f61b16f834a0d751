package stack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// sealed gives a member a certificate from a Secret with an end.
func sealed(digest string, end time.Time) func(*intent.Fragment) {
	return func(f *intent.Fragment) {
		f.Listeners = []intent.Listener{{Port: 443, Protocol: "HTTPS", Field: "listen-ports", Secrets: []intent.Secret{{
			Ref: model.SecretRef{Namespace: "shop", Name: "web"}, Digest: digest, Domains: []string{"a.example.com"}, KeyAlgorithm: "RSA_2048",
			NotAfter: end, RenewBy: end.Add(-21 * 24 * time.Hour), Field: "spec.tls[0].secretName",
		}}}}
		f.Routes[0].Ports = []int{443}
	}
}

// TestCertificatesAreShownAndWarnedOf: with their end; a warning comes when nobody renewed one in time, and goes with its renewal.
func TestCertificatesAreShownAndWarnedOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const day = 24 * time.Hour
	first, second := w.now.Add(90*day).UTC().Truncate(time.Second), w.now.Add(180*day).UTC().Truncate(time.Second)
	for _, c := range []struct {
		why    string
		after  time.Duration
		digest string
		end    time.Time
		warned bool
		fails  bool
		shown  time.Time
	}{
		{"it is new", 0, "one", first, false, false, first},
		{"it could be renewed by now", 60 * day, "one", first, false, false, first},
		{"somebody should have", 10 * day, "one", first, true, false, first},
		{"what is shown is what AWS has: the renewal fails", 0, "two", second, false, true, first},
		{"it is renewed", 0, "two", second, false, false, second},
	} {
		w.now = w.now.Add(c.after)
		w.aws.fail = func(change plan.Change) error {
			if c.fails && change.Op == plan.ImportCertificate {
				return denied()
			}
			return nil
		}
		res, err := w.come(request(member("a", sealed(c.digest, c.end))))
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", c.why, err)
		}
		if slices.ContainsFunc(res.Findings, warnsOfEnd) != c.warned {
			t.Errorf("%s: told %v", c.why, res.Findings)
		}
		w.shows(c.why, c.shown)
	}
}

// come runs until a request is settled, or fails.
func (w *world) come(req stack.Request) (res stack.Result, err error) {
	const runs = 6
	for range runs {
		if res, err = w.loop.Run(w.Context(), req); err != nil || res.Settled {
			break
		}
	}
	return res, err
}

func warnsOfEnd(f model.Finding) bool {
	return f.Reason == "CertificateExpires" && f.Object == ref("a") && f.Severity == model.Warning && strings.Contains(f.Message, "Secret shop/web")
}

// shows checks that the object has one certificate with its end, and that the same is measured.
func (w *world) shows(why string, end time.Time) {
	w.Helper()
	got := w.page().Status.Certificates
	if len(got) != 1 || got[0].Name != "imported/shop/web" || got[0].ARN == "" || got[0].State != model.CertificateUsable {
		w.Fatalf("%s: shown is %+v", why, got)
	}
	if diff := cmp.Diff(end, got[0].NotAfter.UTC()); diff != "" {
		w.Errorf("%s: the end: %s", why, diff)
	}
	kept := w.loop.Board().Certificates()
	if len(kept) != 1 {
		w.Errorf("%s: measured are %v", why, kept)
	}
	for _, measured := range kept {
		if diff := cmp.Diff(got, measured); diff != "" {
			w.Errorf("%s: what is measured is not what is shown: %s", why, diff)
		}
	}
}
