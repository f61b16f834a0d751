package sharing

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	networkingv1 "k8s.io/api/networking/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

// one checks that all groups show the same certificate, the only one of the account, and gives its ARN.
func (w *world) one(why string, groups ...string) string {
	w.Helper()
	arns, _ := w.shown()
	held := w.held()
	if len(held) != 1 {
		w.Errorf("%s: the account holds %v, want one certificate", why, held)
	}
	for _, group := range groups {
		if held[arns[group]] == "" || arns[group] != arns[groups[0]] {
			w.Errorf("%s: %s shows %s of %v", why, group, arns[group], held)
		}
	}
	return arns[groups[0]]
}

// wrote checks the writes of certificates and listeners since it was asked last.
func (w *world) wrote(why string, want ...string) {
	w.Helper()
	got := w.wire.took()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(want, got) {
		w.Errorf("%s: wrote %v, want %v", why, got, want)
	}
}

// TestEqualContentIsImportedOnce: for all groups side by side, of one Secret and of its copy, now and when another one comes.
func TestEqualContentIsImportedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	made := w.issue()
	w.seal(made, "web", "copy")
	groups := []string{"a", "b", "c", "d", "e", "f"}
	want := []string{"ImportCertificate"}
	for n, group := range groups {
		w.ask(group, []string{"web", "copy"}[n%2], made)
		want = append(want, "CreateListener")
	}
	w.must(groups...)
	w.wrote("all at once", want...)
	arn := w.one("all at once", groups...)
	w.restart()
	w.must(groups...)
	w.wrote("after a restart")
	w.ask("late", "copy", made)
	w.must("late")
	w.wrote("one that comes later", "CreateListener")
	if got := w.one("one that comes later", append(groups, "late")...); got != arn {
		t.Errorf("it is %s now, was %s", got, arn)
	}
	w.lose()
	w.must(append(groups, "late")...)
	w.wrote("after all was forgotten")
}

// TestSharedCertificateIsRenewedInPlace: one import for all who have it, once all know; no listener is touched.
func TestSharedCertificateIsRenewedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	first, second, third := w.issue(), w.issue(), w.issue()
	w.seal(first, "web", "copy")
	w.ask("a", "web", first)
	w.ask("b", "web", first)
	w.ask("c", "copy", first)
	w.must("a", "b", "c")
	arn := w.one("at first", "a", "b", "c")
	w.wire.took()
	w.watch()

	w.seal(second, "web", "copy")
	for _, group := range []string{"a", "b", "c"} {
		w.show(group, first, second)
	}
	for _, group := range []string{"a", "b"} {
		if done, err := w.turn(group); done || err != nil {
			t.Errorf("%s is done before c agreed: %v", group, err)
		}
	}
	w.wrote("before all agreed")
	w.restart() // who agreed is forgotten with it
	w.watch()
	w.must("a", "b", "c")
	w.wrote("the renewal", "ImportCertificate")
	if got := w.one("renewed", "a", "b", "c"); got != arn {
		t.Errorf("it is %s now, was %s", got, arn)
	}
	w.seal(third, "web", "copy")
	for _, group := range []string{"a", "b", "c"} {
		w.show(group, second, third)
	}
	w.must("a", "b", "c")
	w.wrote("the next renewal", "ImportCertificate")
	if got := w.one("renewed again", "a", "b", "c"); got != arn {
		t.Errorf("it is %s now, was %s", got, arn)
	}
}

// TestRenewalReachesNobodyElse holds invariant 3: who has a copy that nobody renews keeps what it has, and the other parts from it.
func TestRenewalReachesNobodyElse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why string
		// upset is done to the operator before the renewal.
		upset func(*world)
	}{
		{"the operator runs on", func(*world) {}},
		{"it was restarted, and knows the other from what it wrote down alone", (*world).restart},
		{"it has lost what it wrote down, and knows of the other from AWS alone", (*world).lose},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{})
			first, second, third := w.issue(), w.issue(), w.issue()
			w.seal(first, "web", "copy")
			w.ask("a", "web", first, second)
			w.ask("b", "copy", first)
			w.must("a", "b")
			row.upset(w)
			w.wire.took()
			w.watch()
			w.seal(second, "web")
			w.must("a")
			w.wrote("a parts", "ImportCertificate", "ModifyListener")
			arns, _ := w.shown()
			if arns["a"] == arns["b"] || len(w.held()) != 2 {
				t.Errorf("a shows %s, b %s, of %v", arns["a"], arns["b"], w.held())
			}
			w.must("a", "b")
			w.wrote("b has what it asks for")

			w.seal(third, "web")
			w.show("a", second, third)
			w.must("a", "b")
			w.wrote("a has one of its own now", "ImportCertificate")
			w.seal(third, "copy")
			w.show("b", first, third)
			w.must("a", "b")
			w.wrote("b comes to ask for the same", "ModifyListener", "DeleteCertificate")
			w.one("together again", "a", "b")
		})
	}
}

// TestWhoIsOnlyObservedAgreesToNothing: a load balancer that nobody may change keeps its certificate, though its Secret was renewed.
func TestWhoIsOnlyObservedAgreesToNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	first, second := w.issue(), w.issue()
	w.seal(first, "web")
	w.ask("a", "web", first, second)
	w.ask("b", "web", first)
	w.must("a", "b")
	b := &networkingv1.Ingress{}
	if err := w.api.Get(t.Context(), kube.ObjectKey{Namespace: "shop", Name: "b"}, b); err != nil {
		t.Fatal(err)
	}
	b.Annotations["headgate.dev/changes"] = "Observe"
	if err := w.api.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.watch()
	w.seal(second, "web")
	if done, err := w.turn("b"); done || err != nil {
		t.Errorf("b has nothing to do, or fails: %v", err)
	}
	w.must("a")
	w.wrote("a parts", "ImportCertificate", "ModifyListener")
}

// TestLastOneDeletes: a certificate goes with the last that asks for it, also where all give it up at once.
func TestLastOneDeletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	first, second := w.issue(), w.issueFor("other.example") // no name stays: it cannot be renewed into the other
	w.seal(first, "web")
	w.seal(second, "other")
	for _, group := range []string{"a", "b", "c", "d"} {
		w.ask(group, "web", first)
	}
	w.must("a", "b", "c", "d")
	w.wire.took()
	w.remove("a")
	w.must("a")
	w.wrote("a goes")
	w.one("a is gone", "b", "c", "d")
	for _, group := range []string{"b", "c"} {
		w.ask(group, "other", first, second)
	}
	w.remove("d")
	w.watch()
	w.must("b", "c", "d")
	w.wrote("all give it up at once", "ImportCertificate", "ModifyListener", "ModifyListener", "DeleteCertificate")
	w.one("after that", "b", "c")
	w.remove("b")
	w.remove("c")
	w.must("b", "c")
	if left := w.held(); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestDeletionWaitsForNobody: a certificate that somebody has whom nobody knows is left to them.
func TestDeletionWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	made := w.issue()
	w.seal(made, "web")
	w.ask("a", "web", made)
	w.ask("b", "web", made)
	w.must("a", "b")
	w.lose()
	w.remove("a")
	w.must("a")
	if got := w.one("a is gone", "b"); got == "" {
		t.Error("b shows nothing")
	}
	w.must("b")
	w.remove("b")
	w.must("b")
	if left := w.held(); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestEveryCutOfASharedCertificateIsMadeGood cuts the connection at every write of a certificate, before and after its effect, with and
// without the operator's death: the end is the same, nothing is there twice and nothing is left.
func TestEveryCutOfASharedCertificateIsMadeGood(t *testing.T) {
	t.Parallel()
	writes := 0
	live(t, func(action string) cut {
		if isCertificate(action) {
			writes++
		}
		return none
	}, nil)
	if writes < 5 {
		t.Fatalf("a life takes %d writes of certificates: it is not the one that shall be cut", writes)
	}
	for at := 1; at <= writes; at++ {
		for _, row := range []struct {
			name string
			what cut
			dies bool
		}{{"before", before, false}, {"after", after, false}, {"death before", before, true}, {"death after", after, true}} {
			t.Run(fmt.Sprintf("%s/write %d", row.name, at), func(t *testing.T) {
				t.Parallel()
				n, dead := 0, false
				live(t, func(action string) cut {
					if dead {
						return before
					}
					if isCertificate(action) {
						n++
					}
					if n != at || !isCertificate(action) {
						return none
					}
					dead = row.dies
					return row.what
				}, &dead)
			})
		}
	}
}

func isCertificate(action string) bool {
	return action == "ImportCertificate" || action == "DeleteCertificate"
}

// live leads two groups through the life of a shared certificate: it is imported, renewed, parted from, and deleted. An operator that is
// dead is started again.
func live(t *testing.T, cutting func(string) cut, dead *bool) {
	t.Helper()
	w := newWorld(t, sim.Options{})
	arm := func() {
		w.wire.mu.Lock()
		defer w.wire.mu.Unlock()
		w.wire.cutting = cutting
	}
	arm()
	settle := func(groups ...string) {
		t.Helper()
		for range 8 {
			for _, group := range groups {
				_, _ = w.turn(group) // what fails is tried again
			}
			if dead != nil && *dead {
				*dead = false
				w.restart()
				arm()
			}
			w.clock.Advance(step)
		}
		w.must(groups...)
		w.check()
	}
	first, second, third := w.issue(), w.issue(), w.issue()
	w.seal(first, "web", "copy")
	w.ask("a", "web", first)
	w.ask("b", "copy", first)
	settle("a", "b")
	w.one("imported", "a", "b")
	w.seal(second, "web", "copy")
	w.show("a", second)
	w.show("b", second)
	settle("a", "b")
	w.one("renewed", "a", "b")
	w.seal(third, "web")
	w.show("a", third)
	settle("a", "b")
	if held := w.held(); len(held) != 2 {
		t.Errorf("they parted, and the account holds %v", held)
	}
	w.remove("a")
	settle("a", "b")
	w.one("a is gone", "b")
	w.remove("b")
	settle("b")
	if left := w.held(); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestWhatEarlierVersionsImportedStays: a certificate for each stack, with its tags, is taken as it is; with their renewal they become one.
func TestWhatEarlierVersionsImportedStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	first, second := w.issue(), w.issue()
	w.seal(first, "web")
	w.ask("a", "web", first)
	w.ask("b", "web", first)
	w.must("a", "b")
	w.earlier(first, w.one("at first", "a", "b"))
	w.lose()
	w.watch()
	w.must("a", "b")
	w.wrote("after an upgrade")
	if held := w.held(); len(held) != 2 {
		t.Errorf("the account holds %v, want those of both", held)
	}
	w.seal(second, "web")
	w.show("a", first, second)
	w.show("b", first, second)
	w.must("a", "b")
	w.wrote("their renewal", "ImportCertificate", "ModifyListener", "DeleteCertificate")
	w.one("renewed", "a", "b")
}

// earlier makes of one certificate of groups a and b one for each, tagged as earlier versions did.
func (w *world) earlier(content selfsigned.Certificate, shared string) {
	w.Helper()
	api := acm.NewFromConfig(w.sim.AWSConfig())
	tags := func(group string) []acmtypes.Tag {
		var out []acmtypes.Tag
		for k, v := range (model.Owner{Cluster: cluster, Prefix: model.PrefixIngress, Stack: group}).Tags("imported/shop/web") {
			out = append(out, acmtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
		return out
	}
	_, err := api.RemoveTagsFromCertificate(w.Context(), &acm.RemoveTagsFromCertificateInput{
		CertificateArn: &shared, Tags: []acmtypes.Tag{{Key: aws.String(model.TagResource)}},
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err = api.AddTagsToCertificate(w.Context(), &acm.AddTagsToCertificateInput{CertificateArn: &shared, Tags: tags("a")}); err != nil {
		w.Fatal(err)
	}
	own, err := api.ImportCertificate(w.Context(), &acm.ImportCertificateInput{
		Certificate: content.Cert, PrivateKey: content.Key, Tags: tags("b"),
	})
	if err != nil {
		w.Fatal(err)
	}
	_, err = elasticloadbalancingv2.NewFromConfig(w.sim.AWSConfig()).ModifyListener(w.Context(), &elasticloadbalancingv2.ModifyListenerInput{
		ListenerArn: aws.String(w.listeners()["b"]), Certificates: []elbtypes.Certificate{{CertificateArn: own.CertificateArn}},
	})
	if err != nil {
		w.Fatal(err)
	}
}
