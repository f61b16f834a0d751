package sim_test

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// shown gives the state as JSON.
func shown(t *testing.T, s *sim.Simulator) string {
	t.Helper()
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetIndent("", " ")
	if err := out.Encode(s.State()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantSame demands that two simulators have the same state. Texts are compared first: they are long.
func wantSame(t *testing.T, want, got *sim.Simulator) {
	t.Helper()
	if a, b := shown(t, want), shown(t, got); a != b {
		t.Fatal(cmp.Diff(strings.Split(a, "\n"), strings.Split(b, "\n")))
	}
}

// busy makes a simulator that much was done to.
func busy(t *testing.T, seed int64) *fixture {
	t.Helper()
	f := start(t)
	if _, err := f.Sim.AddNetworkInterface(sim.Interface{Addresses: []string{"10.0.128.9"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Sim.AddNetworkInterface(sim.Interface{ID: "eni-1", Addresses: []string{"10.0.128.10"}}); err != nil {
		t.Fatal(err)
	}
	f.Sim.RemoveNetworkInterface("eni-1")
	to := "127.0.3.7"
	if err := f.Sim.SetAddresses(map[string]*string{"10.0.128.9": &to}); err != nil {
		t.Fatal(err)
	}
	f.certificate("example.com")
	c := &chaos{fixture: f, rand: rand.New(rand.NewSource(seed))}
	for range 300 {
		if err := c.step(); err != nil {
			contract.APICode(err)
		}
		f.Pass(time.Duration(c.rand.Intn(100)) * time.Second)
	}
	return f
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	for seed := range int64(3) {
		f := busy(t, seed)
		saved, err := f.Sim.Save()
		if err != nil {
			t.Fatal(err)
		}
		other := start(t, func(o *sim.Options) { o.Now = f.Now })
		other.group("gone")
		if err := other.Sim.Load(saved); err != nil {
			t.Fatal(err)
		}
		wantSame(t, f.Sim, other.Sim)
		f.Pass(time.Hour)
		if *f.group("next") != *other.group("next") {
			t.Error("identifiers do not go on where they were")
		}
		wantSame(t, f.Sim, other.Sim)
		again, err := other.Sim.Save()
		if err != nil || len(again) <= len(saved) {
			t.Errorf("what was loaded is saved again: %d bytes after %d, %v", len(again), len(saved), err)
		}
	}
}

func TestSnapshotKeepsCertificates(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn := f.certificate("example.com")
	saved, err := f.Sim.Save()
	if err != nil {
		t.Fatal(err)
	}
	other := start(t)
	if err := other.Sim.Load(saved); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*fixture{f, other} {
		out, err := one.acm.GetCertificate(t.Context(), &acm.GetCertificateInput{CertificateArn: arn})
		if !strings.Contains(aws.ToString(contract.Must(t, out, err).Certificate), "CERTIFICATE") {
			t.Error("no certificate")
		}
	}
}

func TestSnapshotsThatDoNotFit(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.group("web")
	saved, err := f.Sim.Save()
	if err != nil {
		t.Fatal(err)
	}
	good := string(saved)
	rows := []struct{ why, saved, names string }{
		{"another region", strings.Replace(good, "us-west-2", "eu-west-1", 1), "region"},
		{"another version", strings.Replace(good, `"version":1`, `"version":2`, 1), "version"},
		{"no JSON", good[1:], "reading"},
		{"an operation that is not there", strings.Replace(good, "CreateTargetGroup", "CreateNothing", 1), "CreateNothing"},
		{"a service that is not there", strings.Replace(good, `"service":"elasticloadbalancing"`, `"service":"polly"`, 1), "polly"},
		{"a call that fails", regexp.MustCompile(`"body":"[^"]*"`).ReplaceAllString(good, `"body":"TmFtZT14"`), "record 1"},
	}
	for _, row := range rows {
		err := f.Sim.Load([]byte(row.saved))
		if err == nil || !strings.Contains(err.Error(), row.names) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	if n := f.groups(); n != 0 {
		t.Errorf("%d groups after a snapshot that broke: want those of the start", n)
	}
}

func TestSnapshotPage(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn := f.group("web")
	status, saved := f.send(http.MethodGet, "/_sim/snapshot", "")
	if status != http.StatusOK {
		t.Fatal(status, saved)
	}
	f.send(http.MethodPost, "/_sim/reset", "")
	if status, body := f.send(http.MethodPut, "/_sim/snapshot", saved); status != http.StatusNoContent {
		t.Fatal(status, body)
	}
	if n := f.groups(); n != 1 {
		t.Errorf("%d groups", n)
	}
	contract.WantCode(t, f.register(arn, address("10.0.1.5", 0)), "")
	if status, _ := f.send(http.MethodPut, "/_sim/snapshot", "{}"); status != http.StatusBadRequest {
		t.Error("a document that is no snapshot:", status)
	}
}

func TestSnapshotFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	open := func() *sim.Simulator {
		t.Helper()
		s, err := sim.New(sim.Options{Snapshot: file})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	f := &fixture{Fixture: &contract.Fixture{T: t, Sim: s}}
	f.client()
	arn := f.group("web")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.Sim = open()
	f.client()
	contract.WantCode(t, f.register(arn, address("10.0.1.5", 0)), "")
	if err := f.Sim.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := sim.New(sim.Options{Snapshot: file, Region: "eu-west-1"}); err == nil {
		t.Error("a snapshot of another region was loaded")
		_ = s.Close()
	}
	if s, err := sim.New(sim.Options{Snapshot: file, Disturbances: sim.Disturbances{Policy: json.RawMessage(`{}`)}}); err == nil {
		t.Error("a policy that is none was taken")
		_ = s.Close()
	}
	f.Sim = open()
	defer func() { contract.WantCode(t, f.Sim.Close(), "") }()
	f.client()
	if n := f.groups(); n != 1 {
		t.Errorf("%d groups: a snapshot that does not fit must stay as it is", n)
	}
}
