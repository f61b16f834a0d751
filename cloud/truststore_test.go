package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/material"
	"github.com/headgate/headgate/model/plan"
	"github.com/headgate/headgate/test/rig"
)

// bucket holds what trust stores are made of.
const bucket = "authorities"

// trustees are the ConfigMaps of a cluster, in an account with a bucket.
type trustees struct {
	account

	maps map[model.ConfigMapRef]string
	// certificate is the listeners'.
	certificate model.ARN
	// late is how far the clock of clients goes ahead: what was made a moment ago is not taken for gone.
	late atomic.Int64
}

func newTrustees(t *testing.T) *trustees {
	t.Helper()
	return trusteesOf(t, sim.Options{Speed: 5000, Provisioning: -1})
}

func trusteesOf(t *testing.T, o sim.Options) *trustees {
	t.Helper()
	w := &trustees{account: *accountOf(t, o), maps: map[model.ConfigMapRef]string{}}
	_, err := w.objects().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(bucket),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(w.config().Region)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.certificate = w.account.certificate(t, "shop.example")
	return w
}

func (w *trustees) objects() *s3.Client {
	return s3.NewFromConfig(w.config(), func(o *s3.Options) { o.UsePathStyle = true })
}

func (w *trustees) read(_ context.Context, ref model.ConfigMapRef) (string, error) {
	text, ok := w.maps[ref]
	if !ok {
		return "", &fault.Error{Class: fault.NotFound, Action: "reading"}
	}
	return text, nil
}

func (w *trustees) connect(t *testing.T, transport *wire) *cloud.Client {
	t.Helper()
	cfg := w.config()
	o := cloud.Options{
		Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, Authorities: w.read, Shelf: model.Shelf{Bucket: bucket, Prefix: "headgate/"},
	}
	o.Now = func() time.Time { return time.Now().Add(time.Duration(w.late.Load())) }
	if transport != nil {
		o.Transport = transport
	}
	c, err := cloud.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verifying is a listener whose clients are verified by the authority of a ConfigMap, as it is now.
func (w *trustees) verifying(t *testing.T, name string) model.Stack {
	t.Helper()
	ref := model.ConfigMapRef{Namespace: "shop", Name: name}
	found, err := material.Authorities(w.maps[ref])
	if err != nil {
		t.Fatal(err)
	}
	out, shelf := w.open(), model.Shelf{Bucket: bucket, Prefix: "headgate/"}
	store := model.TrustStore{
		ID: model.TrustStoreID([]model.ConfigMapRef{ref}), Name: "k8s-shop-" + name, ConfigMaps: []model.ConfigMapRef{ref}, Digest: found.Digest,
	}
	store.Bundle = shelf.Bundle(shelf.HomeOf(w.config().Region, owner()), store.ID, found.Digest)
	store.Tags = owner().Tags(store.ID)
	store.Tags[model.TagBundle] = store.Bundle.String()
	out.TrustStores = []model.TrustStore{store}
	out.Listeners[0].MutualAuth = &model.MutualAuth{Mode: model.MutualVerify, TrustStore: store.Reference()}
	return out
}

// open is the same listener, with clients that show no certificates.
func (w *trustees) open() model.Stack {
	out := front()
	out.Listeners[0].Certificates = []model.ARN{w.certificate}
	out.Listeners[0].MutualAuth = &model.MutualAuth{Mode: model.MutualOff}
	return out
}

// issue has a ConfigMap hold another authority.
func (w *trustees) issue(t *testing.T, name string) {
	t.Helper()
	w.maps[model.ConfigMapRef{Namespace: "shop", Name: name}] = string(issue(t, "EC", "authority "+name)["tls.crt"])
}

// holds are the trust stores of the account by name with the object in their tag, and the objects that there are with their content.
func (w *trustees) holds(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	stores, err := w.elb().DescribeTrustStores(t.Context(), &elasticloadbalancingv2.DescribeTrustStoresInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stores.TrustStores {
		tags, err := w.elb().DescribeTags(t.Context(), &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{*s.TrustStoreArn}})
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags.TagDescriptions[0].Tags {
			if *tag.Key == model.TagBundle {
				out[*s.Name] = *tag.Value
			}
		}
	}
	listed, err := w.objects().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range listed.Contents {
		got, err := w.objects().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(got.Body)
		if err := errors.Join(err, got.Body.Close()); err != nil {
			t.Fatal(err)
		}
		out[bucket+"/"+*o.Key] = string(content)
	}
	return out
}

// wanted is what the account shall hold of a stack.
func (w *trustees) wanted(s model.Stack) map[string]string {
	out := map[string]string{}
	for _, t := range s.TrustStores {
		out[t.Name], out[t.Bundle.String()] = t.Bundle.String(), w.maps[t.ConfigMaps[0]]
	}
	return out
}

// trustTurn is one pass of the loop for a stack that had trust stores.
func trustTurn(ctx context.Context, c *cloud.Client, desired model.Stack) (plan.Plan, model.Outputs, error) {
	observed, err := c.Observe(ctx, desired.Owner, []model.Key{{Kind: model.KindTrustStore}})
	if err != nil {
		return plan.Plan{}, model.Outputs{}, err
	}
	p := plan.Diff(desired, observed, plan.Options{})
	out, err := c.Apply(ctx, p)
	return p, out, err
}

// finish turns until nothing is left to do.
func (w *trustees) finish(t *testing.T, c *cloud.Client, desired model.Stack) {
	t.Helper()
	for range 400 {
		p, out, err := trustTurn(t.Context(), c, desired)
		if err != nil {
			t.Fatal(err)
		}
		if p.Empty() {
			return
		}
		if out.Done == 0 {
			w.late.Add(int64(10 * time.Second))
			time.Sleep(2 * time.Millisecond)
		}
	}
	t.Fatal("there is always something left to do")
}

// seenOf are the trust stores of an observation, and what they are made of.
func seenOf(s model.Stack) model.Stack {
	return model.Stack{TrustStores: s.TrustStores, Bundles: s.Bundles}
}

func TestTrustStoreComesIsRenewedAndGoes(t *testing.T) {
	w := newTrustees(t)
	calls, made := newWire(), []plan.Op(nil)
	calls.intercept = func(action string) verdict {
		if rig.IsWrite(action) {
			made = append(made, plan.Op(action))
		}
		return pass
	}
	c := w.connect(t, calls)
	w.issue(t, "one")
	w.issue(t, "two")
	w.finish(t, c, w.open())
	for _, step := range []struct {
		why     string
		desired func() model.Stack
		want    []plan.Op
	}{
		{"the store comes before the listener uses it", func() model.Stack { return w.verifying(t, "one") },
			[]plan.Op{plan.PutBundle, plan.CreateTrustStore, plan.ModifyListener}},
		{"nothing changed", func() model.Stack { return w.verifying(t, "one") }, nil},
		{"another content touches no listener", func() model.Stack { w.issue(t, "one"); return w.verifying(t, "one") },
			[]plan.Op{plan.PutBundle, plan.ModifyTrustStore, plan.DeleteBundle, plan.AddTags}},
		{"another ConfigMap is another store", func() model.Stack { return w.verifying(t, "two") },
			[]plan.Op{plan.PutBundle, plan.CreateTrustStore, plan.ModifyListener, plan.DeleteTrustStore, plan.DeleteBundle}},
		{"the listener lets it go, then the store goes, then its object", w.open,
			[]plan.Op{plan.ModifyListener, plan.DeleteTrustStore, plan.DeleteBundle}},
	} {
		desired := step.desired()
		made = nil
		w.finish(t, c, desired)
		if diff := cmp.Diff(step.want, made); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.why, diff)
		}
		if diff := cmp.Diff(w.wanted(desired), w.holds(t)); diff != "" {
			t.Errorf("%s: the account holds (-want +got):\n%s", step.why, diff)
		}
		same(t, step.why+": what is kept is not what AWS holds", seenOf(observe(t, c)), seenOf(observe(t, w.connect(t, nil))))
	}
}

// TestEveryCutOfATrustStoreIsMadeGood cuts the connection at every call of a trust store's life, before and after its effect, for a call and
// for ever; what is wanted changes meanwhile.
func TestEveryCutOfATrustStoreIsMadeGood(t *testing.T) {
	lives := func(w *trustees) []func() model.Stack {
		return []func() model.Stack{
			func() model.Stack { return w.verifying(t, "one") },
			func() model.Stack { w.issue(t, "one"); return w.verifying(t, "one") },
			func() model.Stack { return w.verifying(t, "two") },
			w.open,
		}
	}
	// moments are how many calls a step makes at most.
	const moments = 16
	for step := range 4 {
		for _, what := range []verdict{before, after} {
			for _, long := range []int{moment, death} {
				w := newTrustees(t)
				w.issue(t, "one")
				w.issue(t, "two")
				for at := 1; at <= moments; at++ {
					w.cut(t, lives(w)[:step+1], disturbance{at, what, long})
				}
			}
		}
	}
}

// disturbance is at which call of its last step a life is cut, how, and for how many calls.
type disturbance struct {
	at   int
	what verdict
	long int
}

// cut lives through the steps, with the last one cut, and ends with nothing.
func (w *trustees) cut(t *testing.T, steps []func() model.Stack, d disturbance) {
	t.Helper()
	cuts, n := newWire(), 0
	c := w.connect(t, cuts)
	for _, step := range steps[:len(steps)-1] {
		w.finish(t, c, step())
	}
	desired := steps[len(steps)-1]()
	cuts.mu.Lock()
	cuts.intercept = func(string) verdict {
		n++
		switch {
		case n == d.at:
			return d.what
		case n > d.at && n-d.at < d.long:
			return before
		default:
			return pass
		}
	}
	cuts.mu.Unlock()
	for range 3 {
		if _, _, err := trustTurn(t.Context(), c, desired); err != nil {
			c.Forget(owner())
		}
	}
	cuts.mu.Lock()
	cuts.intercept = nil
	cuts.mu.Unlock()
	if d.long == death {
		c = w.connect(t, nil)
	}
	// Half of the time what was begun is not wanted any more.
	if d.at%2 == 0 {
		desired = w.open()
	}
	w.finish(t, c, desired)
	if diff := cmp.Diff(w.wanted(desired), w.holds(t)); diff != "" {
		t.Errorf("step %d, %+v: the account holds (-want +got):\n%s", len(steps), d, diff)
	}
	w.finish(t, c, model.Stack{Owner: owner()})
	if left := w.holds(t); len(left) > 0 {
		t.Errorf("step %d, %+v: after the deletion %v are left", len(steps), d, left)
	}
}

// TestTrustStoreIsWaitedFor: AWS takes its time to make one, and no listener verifies by it before.
func TestTrustStoreIsWaitedFor(t *testing.T) {
	w := trusteesOf(t, sim.Options{Speed: 1, Provisioning: -1})
	c := w.connect(t, nil)
	w.issue(t, "one")
	desired := w.verifying(t, "one")
	_, out, err := trustTurn(t.Context(), c, desired)
	if err != nil {
		t.Fatal(err)
	}
	want := []model.Waiting{{Key: model.Key{Kind: model.KindListener, ID: "443"}, For: "trust store clients/shop/one to be made"}}
	if diff := cmp.Diff(want, out.Waiting); diff != "" {
		t.Errorf("what waits (-want +got):\n%s", diff)
	}
	if seen := observe(t, w.connect(t, nil)); len(seen.Listeners) > 0 {
		t.Errorf("invariant 8: the listener is there before its clients can be verified: %+v", seen.Listeners)
	}
}

// TestForeignTrustStoreIsLeftAlone: one that has our name and not our tags.
func TestForeignTrustStoreIsLeftAlone(t *testing.T) {
	w := newTrustees(t)
	w.issue(t, "one")
	desired := w.verifying(t, "one")
	key := "theirs.pem"
	if _, err := w.objects().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(w.maps[desired.TrustStores[0].ConfigMaps[0]]),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.elb().CreateTrustStore(t.Context(), &elasticloadbalancingv2.CreateTrustStoreInput{
		Name: &desired.TrustStores[0].Name, CaCertificatesBundleS3Bucket: aws.String(bucket), CaCertificatesBundleS3Key: &key,
	}); err != nil {
		t.Fatal(err)
	}
	c := w.connect(t, nil)
	if _, _, err := trustTurn(t.Context(), c, desired); fault.Of(err) != fault.Conflict || !strings.Contains(fmt.Sprint(err), "not ours") {
		t.Errorf("invariant 5: %v, want a conflict", err)
	}
	w.finish(t, c, model.Stack{Owner: owner()})
	got := w.holds(t)
	delete(got, bucket+"/"+key)
	stores, err := w.elb().DescribeTrustStores(t.Context(), &elasticloadbalancingv2.DescribeTrustStoresInput{})
	if err != nil || len(stores.TrustStores) != 1 || len(got) > 0 {
		t.Errorf("invariant 5: %v stores and the objects %v are left, %v", stores, got, err)
	}
}

// TestQuotaOfTrustStores: who is refused is told what to do, and the bundle does not stay when he gives up.
func TestQuotaOfTrustStores(t *testing.T) {
	w := newTrustees(t)
	w.issue(t, "one")
	key := "many.pem"
	if _, err := w.objects().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(w.maps[model.ConfigMapRef{Namespace: "shop", Name: "one"}]),
	}); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if _, err := w.elb().CreateTrustStore(t.Context(), &elasticloadbalancingv2.CreateTrustStoreInput{
			Name: aws.String(fmt.Sprintf("other-%d", n)), CaCertificatesBundleS3Bucket: aws.String(bucket), CaCertificatesBundleS3Key: &key,
		}); err != nil {
			t.Fatal(err)
		}
	}
	c := w.connect(t, nil)
	_, _, err := trustTurn(t.Context(), c, w.verifying(t, "one"))
	if fault.Of(err) != fault.Quota || !strings.Contains(fmt.Sprint(err), "20 unless raised") {
		t.Errorf("got %v, want to hear of the quota", err)
	}
	if seen := observe(t, c); len(seen.Listeners) > 0 {
		t.Errorf("invariant 8: the listener is there without its trust store: %+v", seen.Listeners)
	}
	w.finish(t, c, w.open())
	for name := range w.holds(t) {
		if strings.HasPrefix(name, bucket+"/headgate/") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestBucketOutOfReachHarmsNobodyElse: who verifies no clients needs no bucket.
func TestBucketOutOfReachHarmsNobodyElse(t *testing.T) {
	w := newTrustees(t)
	away := newWire()
	away.intercept = func(action string) verdict {
		if action == "ListObjectsV2" {
			return deny
		}
		return pass
	}
	c := w.connect(t, away)
	if _, _, err := turn(t.Context(), c, w.open()); err != nil {
		t.Errorf("invariant 3: %v", err)
	}
	w.issue(t, "one")
	if _, _, err := trustTurn(t.Context(), c, w.verifying(t, "one")); fault.Of(err) != fault.Denied || !strings.Contains(fmt.Sprint(err), "s3:ListBucket") {
		t.Errorf("invariant 8: %v, want to hear which right is missing", err)
	}
}
