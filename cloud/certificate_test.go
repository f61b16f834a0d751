package cloud_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
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

// safe is the Secrets of a cluster.
type safe map[model.SecretRef]map[string][]byte

func (s safe) read(_ context.Context, ref model.SecretRef) (map[string][]byte, error) {
	data, ok := s[ref]
	if !ok {
		return nil, &fault.Error{Class: fault.NotFound, Action: "reading"}
	}
	return data, nil
}

// put issues a certificate into a Secret, and gives the wanted certificate of it.
func (s safe) put(t *testing.T, name, kind string, hosts ...string) model.OwnCertificate {
	t.Helper()
	ref := model.SecretRef{Namespace: "shop", Name: name}
	s[ref] = issue(t, kind, hosts...)
	read, err := material.Read(s[ref]["tls.crt"], s[ref]["tls.key"], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id := "imported/" + ref.String()
	return model.OwnCertificate{
		ID: id, Type: model.CertificateImported, Domains: read.Domains, KeyAlgorithm: read.KeyAlgorithm, Digest: read.Digest,
		Secret: ref, NotAfter: read.NotAfter, Tags: owner().Tags(id),
	}
}

func issue(t *testing.T, kind string, hosts ...string) map[string][]byte {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	var key, public any
	if kind == "RSA" {
		made, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key, public = made, made.Public()
	} else {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, public = made, made.Public()
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"tls.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
}

func requested(host string, more ...string) model.OwnCertificate {
	id := "amazon_issued/" + host + "-12345678"
	return model.OwnCertificate{
		ID: id, Type: model.CertificateRequested, Domains: model.SortDomains(host, more), Tags: owner().Tags(id),
	}
}

// front is a load balancer whose one listener has the certificates.
func front(certificates ...model.OwnCertificate) model.Stack {
	world := vpc.DefaultWorld()
	s := model.Stack{
		Owner: owner(), Certificates: certificates,
		LoadBalancer: &model.LoadBalancer{
			ID: "LoadBalancer", Name: "k8s-shop-front", Type: "application", Scheme: "internet-facing", IPAddressType: "ipv4",
			Subnets: world.PublicSubnets, SecurityGroups: []model.GroupRef{{ID: world.NodeSecurityGroup}}, Tags: tagged("LoadBalancer"),
		},
		Listeners: []model.Listener{{
			Port: 443, Protocol: "HTTPS", Tags: tagged("443"), SSLPolicy: "ELBSecurityPolicy-2016-08", DefaultActions: answer("404"),
		}},
	}
	for _, c := range certificates {
		s.Listeners[0].Certificates = append(s.Listeners[0].Certificates, c.Reference())
	}
	return s
}

func (a *account) keeper(t *testing.T, secrets safe, w *wire) *cloud.Client {
	t.Helper()
	cfg := a.config()
	o := cloud.Options{Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, Secrets: secrets.read}
	if w != nil {
		o.Transport = w
	}
	c, err := cloud.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// look observes with certificates.
func look(ctx context.Context, c *cloud.Client) (model.Stack, error) {
	return c.Observe(ctx, owner(), []model.Key{{Kind: model.KindCertificate}})
}

// settle turns until nothing is left to do, and gives the operations that took effect.
func settle(t *testing.T, c *cloud.Client, desired model.Stack) []plan.Op {
	t.Helper()
	var done []plan.Op
	for range 400 {
		observed, err := look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		p := plan.Diff(desired, observed, plan.Options{})
		if p.Empty() {
			return done
		}
		out, err := c.Apply(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Waiting) == 0 {
			for _, ch := range p.Changes {
				done = append(done, ch.Op)
			}
		}
		if out.Done == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
	t.Fatal("there is always something left to do")
	return nil
}

// held are the certificates of the account: how many, and by name of the first domain the ARN.
func (a *account) held(t *testing.T) map[string]string {
	t.Helper()
	out, err := acm.NewFromConfig(a.config()).ListCertificates(t.Context(), &acm.ListCertificatesInput{
		Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for i, c := range out.CertificateSummaryList {
		all[fmt.Sprintf("%s %d", aws.ToString(c.DomainName), i)] = aws.ToString(c.CertificateArn)
	}
	return all
}

func TestCertificateOfASecretComesIsRenewedAndGoes(t *testing.T) {
	a, secrets := newAccount(t), safe{}
	c := a.keeper(t, secrets, nil)
	first := secrets.put(t, "web", "EC", "shop.example")
	settle(t, c, front(first))
	before := a.held(t)
	if len(before) != 1 {
		t.Fatalf("the account has %v, want one certificate", before)
	}
	steps := []struct {
		why     string
		desired func() model.Stack
		want    []plan.Op
		keeps   bool
	}{
		{
			"nothing changed", func() model.Stack { return front(first) }, nil, true,
		},
		{
			"a renewal is one call at the same ARN, and touches no listener",
			func() model.Stack { return front(secrets.put(t, "web", "EC", "shop.example")) },
			[]plan.Op{plan.ImportCertificate}, true,
		},
		{
			"AWS takes no other kind of key at an ARN: the new one comes before the old one goes",
			func() model.Stack { return front(secrets.put(t, "web", "RSA", "shop.example")) },
			[]plan.Op{plan.ImportCertificate, plan.ModifyListener, plan.DeleteCertificate}, false,
		},
	}
	for _, step := range steps {
		got := settle(t, c, step.desired())
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.why, diff)
		}
		if now := a.held(t); maps.Equal(now, before) != step.keeps || len(now) != 1 {
			t.Errorf("%s: the account has %v, had %v", step.why, now, before)
		}
		newcomer, err := look(t.Context(), a.keeper(t, secrets, nil))
		if err != nil {
			t.Fatal(err)
		}
		mine, err := look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(seenBy(newcomer), seenBy(mine)); diff != "" {
			t.Errorf("%s: what is kept is not what AWS holds (-fresh +kept):\n%s", step.why, diff)
		}
	}
	settle(t, c, model.Stack{Owner: owner()})
	if left := a.held(t); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// behind is an ACM that goes on to name a load balancer as the user of every certificate.
type behind struct{ user model.ARN }

func (b *behind) RoundTrip(r *http.Request) (*http.Response, error) {
	action, err := rig.Action(r)
	if err != nil {
		return nil, err
	}
	if b.user != "" && action == "DeleteCertificate" {
		return reply(r, http.StatusBadRequest, `{"__type": "ResourceInUseException", "message": "in use"}`), nil
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || b.user == "" || action != "DescribeCertificate" {
		return answer, err
	}
	var body map[string]map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	body["Certificate"]["InUseBy"] = []string{string(b.user)}
	text, err := json.Marshal(body)
	return reply(r, http.StatusOK, string(text)), err
}

// ACM names a load balancer for minutes after that is gone: its certificate is waited for, or nobody would delete it.
func TestCertificateOfALoadBalancerThatIsGoneIsWaitedFor(t *testing.T) {
	a, secrets, late := newAccount(t), safe{}, &behind{}
	cfg := a.config()
	c, err := cloud.New(t.Context(), cloud.Options{
		Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, Secrets: secrets.read, Transport: late,
	})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, c, front(secrets.put(t, "web", "EC", "shop.example")))
	late.user = observe(t, c).LoadBalancer.ARN
	none := model.Stack{Owner: owner()}
	for range 2 {
		observed, err := look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Apply(t.Context(), plan.Diff(none, observed, plan.Options{}))
		if err != nil || len(out.Waiting) != 1 || out.Waiting[0].Key.Kind != model.KindCertificate {
			t.Fatalf("waits for %v: %v", out.Waiting, err)
		}
	}
	late.user = ""
	settle(t, c, none)
	if left := a.held(t); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// seenBy are the certificates of an observation without what only a plan knows. AWS tells times in seconds.
func seenBy(s model.Stack) []model.OwnCertificate {
	for i := range s.Certificates {
		s.Certificates[i].Secret = model.SecretRef{}
		s.Certificates[i].NotAfter = s.Certificates[i].NotAfter.Truncate(time.Second)
	}
	return s.Certificates
}

func TestMaterialThatChangedSincePlanning(t *testing.T) {
	a, secrets := newAccount(t), safe{}
	c := a.keeper(t, secrets, nil)
	planned := secrets.put(t, "web", "EC", "shop.example")
	secrets.put(t, "web", "EC", "other.example")
	_, err := c.Apply(t.Context(), plan.Diff(front(planned), model.Stack{Owner: owner()}, plan.Options{}))
	if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "changed since the plan") {
		t.Errorf("got %v, want a conflict", err)
	}
	if strings.Contains(fmt.Sprint(err), "PRIVATE") || len(a.held(t)) > 0 {
		t.Errorf("what nobody planned was imported, or printed: %v", err)
	}
}

func TestCertificateIsRequestedProvenAndReplaced(t *testing.T) {
	a := accountOf(t, sim.Options{Speed: 20000, Provisioning: -1})
	dns := route53.NewFromConfig(a.config())
	for _, name := range []string{"example.com", "deep.example.com"} {
		if _, err := dns.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: &name, CallerReference: &name}); err != nil {
			t.Fatal(err)
		}
	}
	c := a.keeper(t, nil, nil)
	first := requested("shop.example.com", "*.shop.example.com", "a.deep.example.com")
	seen, err := look(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Apply(t.Context(), plan.Diff(front(first), seen, plan.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Waiting) != 1 || out.Waiting[0].For != "certificate "+first.ID+" to be issued" {
		t.Errorf("the listener waits for %v, want the certificate", out.Waiting)
	}
	settle(t, c, front(first))
	got, err := look(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Listeners) != 1 || got.Certificates[0].Status != model.CertificateUsable {
		t.Fatalf("got %+v", got)
	}
	// Other names are another certificate: it comes first, and the old one serves until it is issued.
	second := requested("shop.example.com", "b.example.com")
	old := got.Certificates[0].ARN
	ops := settle(t, c, front(second))
	if want := []plan.Op{plan.ModifyListener, plan.DeleteCertificate}; !endsWith(ops, want) {
		t.Errorf("the last calls are %v, want %v", ops, want)
	}
	if got, err = look(t.Context(), c); err != nil || len(got.Certificates) != 1 || got.Certificates[0].ARN == old {
		t.Errorf("got %+v, %v", got.Certificates, err)
	}
}

func endsWith(all, end []plan.Op) bool {
	return len(all) >= len(end) && slices.Equal(all[len(all)-len(end):], end)
}

// TestQuotaOfCertificates: who is refused is told which Secret or host it is about and what to do, and all else goes on.
func TestQuotaOfCertificates(t *testing.T) {
	secrets := safe{}
	for _, row := range []struct {
		why, action, want string
		of                model.OwnCertificate
	}{
		{"imports", "ImportCertificate", "Secret shop/web: ACM imports no more; delete certificates", secrets.put(t, "web", "EC", "shop.example")},
		{"requests", "RequestCertificate", "certificate for shop.example: ACM makes no more", requested("shop.example")},
	} {
		a, w := newAccount(t), newWire()
		w.intercept = func(action string) verdict {
			if action == row.action {
				return full
			}
			return pass
		}
		out, err := a.keeper(t, secrets, w).Apply(t.Context(), plan.Diff(front(row.of), model.Stack{Owner: owner()}, plan.Options{}))
		if fault.Of(err) != fault.Quota || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.why, err, row.want)
		}
		if out.Done == 0 {
			t.Errorf("%s: nothing else was done", row.why)
		}
	}
}

func TestAListenerWaitsForItsDefaultCertificateAlone(t *testing.T) {
	a, secrets := newAccount(t), safe{}
	first, second := secrets.put(t, "web", "EC", "shop.example"), secrets.put(t, "other", "EC", "other.example")
	delete(secrets, second.Secret)
	out, err := a.keeper(t, secrets, nil).Apply(t.Context(), plan.Diff(front(first, second), model.Stack{Owner: owner()}, plan.Options{}))
	if err == nil || strings.Contains(err.Error(), "CreateListener") {
		t.Errorf("got %v, want only the certificate that cannot be imported to fail", err)
	}
	if out.ARNs[model.Key{Kind: model.KindListener, ID: "443"}] == "" {
		t.Errorf("no listener was made for the certificate that is there: %v", out.ARNs)
	}
}

// TestNameWithoutAZone waits for somebody who writes the record, and says which.
func TestNameWithoutAZone(t *testing.T) {
	a := newAccount(t)
	c := a.keeper(t, nil, nil)
	want := requested("shop.nowhere.example")
	for range 3 {
		seen, err := look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Apply(t.Context(), plan.Diff(front(want), seen, plan.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Waiting) == 2 {
			for _, w := range out.Waiting {
				if !strings.Contains(w.For, "shop.nowhere.example. CNAME ") {
					t.Errorf("%s waits for %q, which names no record", w.Key, w.For)
				}
			}
			return
		}
	}
	t.Error("nobody is told of the record to write")
}

// TestEveryCutOfCertificatesIsMadeGood cuts the connection at every call of a certificate's life, before and after its effect.
func TestEveryCutOfCertificatesIsMadeGood(t *testing.T) {
	secrets := safe{}
	first := secrets.put(t, "web", "EC", "shop.example")
	old := maps.Clone(secrets)
	second := secrets.put(t, "web", "RSA", "shop.example")
	life := func(t *testing.T, a *account, disturbed func(secrets safe, desired model.Stack)) {
		t.Helper()
		disturbed(old, front(first))
		if n := len(a.held(t)); n != 1 {
			t.Errorf("after it came the account has %d certificates, want 1", n)
		}
		disturbed(secrets, front(second))
		if n := len(a.held(t)); n != 1 {
			t.Errorf("after it was replaced the account has %d certificates, want 1", n)
		}
		disturbed(secrets, model.Stack{Owner: owner()})
		if n := len(a.held(t)); n != 0 {
			t.Errorf("in the end the account has %d certificates, want none", n)
		}
	}
	w := newWire()
	undisturbed := newAccount(t)
	life(t, undisturbed, func(s safe, desired model.Stack) { settle(t, undisturbed.keeper(t, s, w), desired) })
	calls := total(w)
	for _, cut := range []struct {
		name string
		what verdict
		dies bool
	}{{"before", before, false}, {"after", after, false}, {"death after", after, true}} {
		for at := 1; at <= calls; at += 2 {
			t.Run(fmt.Sprintf("%s/call %d", cut.name, at), func(t *testing.T) {
				a, n := newAccount(t), 0
				life(t, a, func(s safe, desired model.Stack) {
					w := newWire()
					dead := false
					w.intercept = func(string) verdict {
						if n++; n == at {
							dead = cut.dies
							return cut.what
						}
						if dead {
							return before
						}
						return pass
					}
					a.through(t, a.keeper(t, s, w), desired)
					settle(t, a.keeper(t, s, nil), desired)
				})
			})
		}
	}
}

// through turns a few times, whatever fails.
func (a *account) through(t *testing.T, c *cloud.Client, desired model.Stack) {
	t.Helper()
	for range 4 {
		seen, err := look(t.Context(), c)
		if err != nil {
			continue
		}
		p := plan.Diff(desired, seen, plan.Options{})
		if p.Empty() {
			return
		}
		if _, err := c.Apply(t.Context(), p); err != nil {
			c.Forget(owner())
		}
	}
}

func TestDiscoveryTakesNoCertificateOfOurs(t *testing.T) {
	a, secrets := newAccount(t), safe{}
	stranger := a.certificate(t, "shop.example")
	settle(t, a.keeper(t, secrets, nil), front(secrets.put(t, "web", "EC", "shop.example")))
	need := model.Needs{Owner: owner(), Certificates: true, CertificateHosts: []string{"shop.example"}}
	for name, tt := range map[string]struct {
		deny bool
		want int
		why  string
	}{
		"ours":   {false, 1, "a certificate of ours goes with its stack, and is none to be found"},
		"denied": {true, 2, "without the right to read tags everything is found, as by the incumbent"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire()
			w.intercept = func(action string) verdict {
				if tt.deny && action == "ListTagsForCertificate" {
					return deny
				}
				return pass
			}
			c := a.keeper(t, secrets, w)
			for range 2 {
				facts, err := c.Facts(t.Context(), need)
				if err != nil {
					t.Fatal(err)
				}
				if len(facts.Certificates) != tt.want || !slices.ContainsFunc(facts.Certificates, func(c model.Certificate) bool { return c.ARN == stranger }) {
					t.Errorf("%s: found %v", tt.why, facts.Certificates)
				}
			}
			if n := w.take(false)["ListTagsForCertificate"]; n > 2 {
				t.Errorf("tags were read %d times", n)
			}
		})
	}
}

func TestDiscoveryByAuthority(t *testing.T) {
	a := newAccount(t)
	account, _, _ := strings.Cut(strings.Replace(string(a.certificate(t, "shop.example")), ":acm:", ":acm-pca:", 1), ":certificate/")
	authority := model.ARN(account + ":certificate-authority/a")
	private := model.OwnCertificate{
		ID: "private/shop.example-1", Type: model.CertificatePrivate, Domains: []string{"shop.example"}, Authority: authority, Tags: owner().Tags("private/shop.example-1"),
	}
	settle(t, a.keeper(t, nil, nil), front(private))
	cfg := a.config()
	for _, tt := range []struct {
		allowed model.ARN
		want    int
		why     string
	}{
		{"", 2, "all count where none is named"},
		{authority, 1, "the one that it issued"},
		{authority + "b", 0, "another authority's do not count"},
	} {
		o := cloud.Options{Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg}
		if tt.allowed != "" {
			o.Discovery.Authorities = []model.ARN{tt.allowed}
		}
		c, err := cloud.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := c.Facts(t.Context(), model.Needs{Owner: owner(), Certificates: true, CertificateHosts: []string{"shop.example"}})
		if err != nil || len(facts.Certificates) != tt.want {
			t.Errorf("%s: found %v, %v", tt.why, facts.Certificates, err)
		}
	}
}
