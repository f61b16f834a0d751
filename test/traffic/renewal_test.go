package traffic

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/idp"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// operator is the loop over a stage with an API server in which it remembers what it did.
type operator struct {
	stage *stage
	api   kube.Client
	loop  *stack.Loop
	// cluster has what its stacks share, and linger is how long pods admit whom no binding asks to admit any more.
	cluster *stack.Cluster
	linger  time.Duration
	// findings of the last run.
	findings []model.Finding
	// lane registers the targets of bindings; nil leaves that to the test.
	lane *lane
	// now is what the clock of an operator with a lane shows.
	now time.Time
	// opts of the loop.
	opts stack.Options
	// grace is how many runs may fail yet.
	grace int
}

func (s *stage) newOperator() *operator {
	s.t.Helper()
	scheme, err := manifests.Scheme()
	if err != nil {
		s.t.Fatal(err)
	}
	o := &operator{stage: s, now: time.Now(), opts: stack.Options{Hold: -1}, api: fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&headgatev1alpha1.LoadBalancer{}).Build()}
	o.restart()
	return o
}

// restart forgets everything but what is in the API server.
func (o *operator) restart() {
	o.cluster = stack.NewCluster(o.stage.cloud, stack.ClusterOptions{
		Name: cluster, Stacks: func(ctx context.Context) (int, error) { return stack.Count(ctx, o.api, cluster) },
		Now: o.opts.Now, Linger: o.linger,
	})
	o.loop = stack.New(o.api, o.stage.cloud, o.cluster, o.opts)
	if o.lane != nil {
		o.lane = newLane(o)
	}
}

// apply runs until nothing is left to do, and gives the writes that it took.
func (o *operator) apply(text string) string {
	o.stage.t.Helper()
	o.stage.sim.ResetCalls()
	o.stage.plans = ""
	o.finish(text)
	return o.stage.writes()
}

// inFlight is how many runs may fail after a restart: calls of the operator that ended may be carried out after its successor looked.
const inFlight = 3

// forgives tells whether a run may fail.
func (o *operator) forgives() bool {
	o.grace--
	return o.grace >= 0
}

// finish runs until nothing is left to do.
func (o *operator) finish(text string) {
	t := o.stage.t
	t.Helper()
	from := o.stage.objects(text)
	for end := time.Now().Add(longestApply); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		idle, err := o.run(t.Context(), from)
		if err != nil && !o.forgives() {
			t.Fatalf("%v\nafter the plans\n%s", err, o.stage.plans)
		}
		if err == nil && idle {
			return
		}
	}
	t.Fatalf("there is always something left to do:\n%s", o.stage.plans)
}

// longestApply is how long a change may take on a machine that has much else to do.
const longestApply = 2 * time.Minute

// run is one run over each stack, and tells whether nothing is left to do.
func (o *operator) run(ctx context.Context, from preview.Source) (bool, error) {
	requests, err := preview.Requests(ctx, from.Reader, settings())
	if err != nil {
		return false, fmt.Errorf("reading manifests: %w", err)
	}
	idle := true
	o.findings = nil
	for _, r := range requests {
		result, err := o.loop.Run(ctx, r)
		if text := result.Plan.Text(); !strings.HasSuffix(o.stage.plans, text) {
			o.stage.plans += text // also of one that was cut
		}
		if err != nil {
			return false, fmt.Errorf("running: %w", err)
		}
		if result.Blocked != "" {
			o.stage.t.Errorf("%s is not built: %s: %v", r.Intent.Owner, result.Blocked, result.Findings)
		}
		o.findings = append(o.findings, result.Findings...)
		idle = idle && result.Plan.Empty() && !result.Plan.Again && len(result.Outputs.Waiting) == 0
		if o.stage.directory != nil {
			o.stage.directory.publish(result.Addresses())
			idle = idle && len(o.stage.sim.LoadBalancers()) == 1 // what is replaced is gone
		}
	}
	if o.lane == nil {
		return idle, nil
	}
	if o.stage.sim.Arrived() && o.stage.directory.minute() {
		o.now = o.now.Add(10 * time.Second)
	}
	return idle, o.lane.level(ctx)
}

// writes are the writing calls since they were last forgotten, each with how often it was made where that is more than once.
func (s *stage) writes() string {
	var out []string
	for _, c := range s.sim.Calls().Calls {
		for range c.Count {
			if c.Kind == "write" {
				out = append(out, c.Action)
			}
		}
	}
	return strings.Join(out, " ")
}

// idpSecret is the Secret "idp" with more metadata.
func idpSecret(text, more string) string {
	return "---\n{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: idp" + more + "}, data: {clientID: d2Vi, clientSecret: " +
		base64.StdEncoding.EncodeToString([]byte(text)) + "}}\n"
}

// TestRenewedSecretIsGivenOnce: a new client's secret costs one call, and nothing else about its Secret costs any.
func TestRenewedSecretIsGivenOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	p := s.newProvider(idpHost, idp.Options{Issuer: "https://" + idpHost, Clients: map[string]string{"web": "renewed"}})
	o := s.newOperator()
	web := func(more ...string) string {
		return web(oidc("idp", more...), []string{host("shop.example.com", "Prefix / a")}, "")
	}
	if got := o.apply(idpSecret("old", "") + web()); !strings.Contains(got, "CreateRule") {
		t.Fatalf("no rule was made: %s", got)
	}
	s.register(owner(), nil)
	if got := signed(s.newBrowser(p), secure); got != "561" {
		t.Errorf("with the old secret: %s, want 561", got)
	}
	for _, row := range []struct{ why, text, want, meets string }{
		{"nothing changed", idpSecret("old", "") + web(), "", "561"},
		{"the provider has a new secret", idpSecret("renewed", "") + web(), "ModifyRule", "200 a to ada"},
		{"once is enough", idpSecret("renewed", "") + web(), "", "200 a to ada"},
		{"what else is written on the Secret is nothing to AWS", idpSecret("renewed", ", annotations: {a: b}") + web(), "", "200 a to ada"},
		{"AWS keeps the secret while something else changes", idpSecret("renewed", "") + web("auth-scope: openid email"), "ModifyRule", "200 a to ada"},
	} {
		for _, again := range []string{"", ", after a restart"} {
			if again != "" {
				o.restart()
				row.want = ""
			}
			if got := o.apply(row.text); got != row.want {
				t.Errorf("%s%s: wrote %q, want %q", row.why, again, got, row.want)
			}
			if got := signed(s.newBrowser(p), secure); got != row.meets {
				t.Errorf("%s%s: a browser meets %s, want %s", row.why, again, got, row.meets)
			}
		}
	}
}
