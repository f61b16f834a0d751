package cloud_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func tagged(id string, more ...string) map[string]string {
	out := owner().Tags(id)
	for n := 0; n+1 < len(more); n += 2 {
		out[more[n]] = more[n+1]
	}
	return out
}

func targetGroup(id, name string) model.TargetGroup {
	return model.TargetGroup{
		ID: id, Name: name, TargetType: "ip", Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: 80,
		VPC: vpc.DefaultWorld().VPC, IPAddressType: "ipv4",
		HealthCheck: model.HealthCheck{
			Protocol: "HTTP", Port: "traffic-port", Path: "/", IntervalSeconds: 15, TimeoutSeconds: 5,
			HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200",
		},
		Attributes: map[string]string{"deregistration_delay.timeout_seconds": "30"},
		Tags:       tagged(id, "team", "a"),
	}
}

func forwardTo(weights map[string]int) []model.Action {
	f := &model.Forward{}
	for id, weight := range weights {
		f.Groups = append(f.Groups, model.WeightedGroup{Key: id, Weight: weight})
	}
	if len(weights) > 1 {
		f.StickySeconds = 60
	}
	return []model.Action{{Type: model.ActionForward, Forward: f}}
}

func answer(code string) []model.Action {
	return []model.Action{{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: code, ContentType: "text/plain"}}}
}

// rule is a rule of the listener on 443.
func rule(actions []model.Action, conditions ...model.Condition) model.Rule {
	r := model.Rule{Conditions: conditions, Actions: actions}
	r.Tags = owner().Tags(model.RuleID(443, r))
	return r
}

// shop is a whole stack: a load balancer with its own security group and the cluster's, two listeners with certificates and rules
// of every kind, and two target groups.
func shop(certificates ...model.ARN) model.Stack {
	world := vpc.DefaultWorld()
	host := model.Condition{Field: model.FieldHost, Values: []string{"shop.example"}}
	return model.Stack{
		Owner: owner(),
		SecurityGroups: []model.SecurityGroup{{
			ID: "ManagedLBSecurityGroup", Name: "k8s-shop-web", Description: "[k8s] Managed SecurityGroup for LoadBalancer", VPC: world.VPC,
			Tags: tagged("ManagedLBSecurityGroup"),
			Ingress: []model.Permission{
				{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "0.0.0.0/0"},
				{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "0.0.0.0/0"},
				{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "::/0"},
			},
		}},
		LoadBalancer: &model.LoadBalancer{
			ID: "LoadBalancer", Name: "k8s-shop-web-1", Type: "application", Scheme: "internet-facing", IPAddressType: "ipv4",
			Subnets: world.PublicSubnets, SecurityGroups: []model.GroupRef{{Key: "ManagedLBSecurityGroup"}},
			Attributes: map[string]string{"idle_timeout.timeout_seconds": "90"}, Tags: tagged("LoadBalancer", "team", "a"),
		},
		TargetGroups: []model.TargetGroup{targetGroup("shop/web-a:80", "k8s-shop-a"), targetGroup("shop/web-b:80", "k8s-shop-b")},
		Listeners: []model.Listener{
			{
				Port: 80, Protocol: "HTTP", Tags: tagged("80"), DefaultActions: []model.Action{{
					Type: model.ActionRedirect, Redirect: &model.Redirect{
						Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", StatusCode: "HTTP_301",
					},
				}},
			},
			{
				Port: 443, Protocol: "HTTPS", Tags: tagged("443"), SSLPolicy: "ELBSecurityPolicy-2016-08", Certificates: certificates,
				DefaultActions: answer("404"),
				Rules: []model.Rule{
					rule(forwardTo(map[string]int{"shop/web-a:80": 1}), host, model.Condition{Field: model.FieldPath, Values: []string{"/a", "/a/*"}}),
					rule(forwardTo(map[string]int{"shop/web-a:80": 9, "shop/web-b:80": 1}), host,
						model.Condition{Field: model.FieldHeader, Header: "X-Canary", Values: []string{"yes"}}),
					rule(forwardTo(map[string]int{"shop/web-b:80": 1}), host,
						model.Condition{Field: model.FieldQuery, Query: []model.QueryPair{{Key: "v", Value: "2"}}},
						model.Condition{Field: model.FieldMethod, Values: []string{"GET"}}),
					rule(answer("503"), model.Condition{Field: model.FieldHost, Regex: []string{`^closed\.example(:[0-9]+)?$`}}),
				},
			},
		},
	}
}

// same fails unless two observations agree. An attribute that is empty says no more than one that is not there: which ones AWS lists
// is not known before they are read.
func same(t *testing.T, what string, a, b model.Stack) {
	t.Helper()
	filled := func(m map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			if v != "" {
				out[k] = v
			}
		}
		return out
	}
	if diff := cmp.Diff(a, b, cmp.Transformer("filled", filled)); diff != "" {
		t.Errorf("%s (-kept +fresh):\n%s", what, diff)
	}
}

// reached fails unless the outputs of a whole stack say where everything is.
func reached(t *testing.T, out model.Outputs) {
	t.Helper()
	if out.LoadBalancer == nil || out.LoadBalancer.DNSName == "" {
		t.Errorf("the outputs have no address: %+v", out.LoadBalancer)
	}
	for _, key := range []model.Key{{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}, {Kind: model.KindListener, ID: "443"}} {
		if out.ARNs[key] == "" {
			t.Errorf("the outputs lack %s", key)
		}
	}
}

func TestWholeStackComesAndGoes(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"), a.certificate(t, "other.example"))
	w := newWire()
	c := a.client(t, w)

	p, out, err := turn(t.Context(), c, desired)
	if err != nil || len(out.Waiting) > 0 || out.Done != len(p.Changes) {
		t.Fatalf("%d of %d changes done, waiting for %v: %v", out.Done, len(p.Changes), out.Waiting, err)
	}
	want := map[string]int{}
	for _, ch := range p.Changes {
		want[string(ch.Op)]++
	}
	if diff := cmp.Diff(want, w.take(true)); diff != "" {
		t.Errorf("a change is not one writing call (-changes +calls):\n%s", diff)
	}
	reached(t, out)

	for name, reader := range map[string]func() model.Stack{
		"who made it": func() model.Stack { return observe(t, c) },
		"a newcomer":  func() model.Stack { return observe(t, a.client(t, nil)) },
	} {
		if left := plan.Diff(desired, reader(), plan.Options{}); !left.Empty() {
			t.Errorf("to %s there is something left to do:\n%s", name, left.Text())
		}
	}
	w.take(false)
	same(t, "what was kept is not what AWS holds", observe(t, c), observe(t, a.client(t, nil)))
	if reads := w.take(false); len(reads) > 0 {
		t.Errorf("a stack that was just observed is read again: %v", reads)
	}

	converge(t, c, model.Stack{Owner: owner()})
	for name, reader := range map[string]*cloud.Client{"who deleted it": c, "a newcomer": a.client(t, nil)} {
		if got := observe(t, reader); got.LoadBalancer != nil || len(got.TargetGroups)+len(got.SecurityGroups) > 0 {
			t.Errorf("to %s something is left: %+v", name, got)
		}
	}
}

func TestObservationEqualsWhatWasAskedFor(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"), a.certificate(t, "other.example"))
	converge(t, a.client(t, nil), desired)
	got := observe(t, a.client(t, nil))
	bare := func(s model.Stack) model.Stack {
		s = model.Normalize(s)
		lb := *s.LoadBalancer
		lb.ARN, lb.DNSName, lb.State, lb.VPC, lb.Attributes = "", "", "", "", nil
		s.LoadBalancer = &lb
		for n := range s.SecurityGroups {
			s.SecurityGroups[n].ARN = ""
		}
		for n := range s.TargetGroups {
			g := &s.TargetGroups[n]
			g.ARN, g.LoadBalancers, g.Attributes = "", nil, nil
		}
		for n := range s.Listeners {
			l := &s.Listeners[n]
			l.ARN, l.Attributes = "", nil
			for m := range l.Rules {
				r := &l.Rules[m]
				r.ARN, r.Priority = "", 0
				for _, action := range r.Actions {
					if action.Forward == nil {
						continue
					}
					for k := range action.Forward.Groups {
						action.Forward.Groups[k].ARN = ""
					}
				}
			}
		}
		return s
	}
	if diff := cmp.Diff(bare(desired), bare(got)); diff != "" {
		t.Errorf("what AWS holds is not what was asked for (-want +got):\n%s", diff)
	}
}

func TestChangesKeepTheInventoryExact(t *testing.T) {
	a := newAccount(t)
	first, second, third := a.certificate(t, "shop.example"), a.certificate(t, "b.example"), a.certificate(t, "c.example")
	world := vpc.DefaultWorld()
	steps := []struct {
		name   string
		change func(*model.Stack)
	}{
		{"nothing", func(*model.Stack) {}},
		{"health check", func(s *model.Stack) { s.TargetGroups[0].HealthCheck.Path = "/healthz" }},
		{"attributes", func(s *model.Stack) {
			s.LoadBalancer.Attributes["routing.http2.enabled"] = "false"
			s.TargetGroups[0].Attributes["stickiness.enabled"] = "true"
		}},
		{"tags", func(s *model.Stack) {
			s.LoadBalancer.Tags["team"] = "b"
			s.TargetGroups[0].Tags["team"] = "b"
			s.SecurityGroups[0].Tags["team"] = "b"
			s.Listeners[1].Tags["team"] = "b"
			s.Listeners[1].Rules[0].Tags["team"] = "b"
		}},
		{"admission", func(s *model.Stack) {
			s.SecurityGroups[0].Ingress[0].CIDR = "10.0.0.0/8"
			s.SecurityGroups[0].Ingress = s.SecurityGroups[0].Ingress[:2]
		}},
		{"subnets", func(s *model.Stack) { s.LoadBalancer.Subnets = world.PublicSubnets[:2] }},
		{"security groups", func(s *model.Stack) {
			s.LoadBalancer.SecurityGroups = append(s.LoadBalancer.SecurityGroups, model.GroupRef{ID: world.NodeSecurityGroup})
		}},
		{"certificates", func(s *model.Stack) { s.Listeners[1].Certificates = []model.ARN{third, first} }},
		{"weights", func(s *model.Stack) {
			s.Listeners[1].Rules[1] = rule(forwardTo(map[string]int{"shop/web-a:80": 1, "shop/web-b:80": 1}), s.Listeners[1].Rules[1].Conditions...)
		}},
		{"order", func(s *model.Stack) {
			s.Listeners[1].Rules[0], s.Listeners[1].Rules[1] = s.Listeners[1].Rules[1], s.Listeners[1].Rules[0]
		}},
		{"rule gone", func(s *model.Stack) { s.Listeners[1].Rules = s.Listeners[1].Rules[:3] }},
		{"default action", func(s *model.Stack) { s.Listeners[1].DefaultActions = forwardTo(map[string]int{"shop/web-a:80": 1}) }},
		{"listener gone", func(s *model.Stack) { s.Listeners = s.Listeners[1:] }},
		{"group gone", func(s *model.Stack) {
			s.TargetGroups = s.TargetGroups[:1]
			s.Listeners[0].Rules = s.Listeners[0].Rules[1:2]
			s.Listeners[0].Rules[0].Actions = forwardTo(map[string]int{"shop/web-a:80": 1})
		}},
	}
	c := a.client(t, nil)
	desired := shop(first, second)
	for _, step := range steps {
		step.change(&desired)
		converge(t, c, desired)
		same(t, "after "+step.name+" what is kept is not what AWS holds", observe(t, c), observe(t, a.client(t, nil)))
	}
}

func TestKeysLimitWhatIsRead(t *testing.T) {
	a := newAccount(t)
	converge(t, a.client(t, nil), shop(a.certificate(t, "shop.example")))
	tests := []struct {
		name string
		keys []model.Key
		want map[string]int
		why  string
	}{
		{"one target group", []model.Key{{Kind: model.KindTargetGroup, ID: "shop/web-a:80"}}, map[string]int{"DescribeTargetGroupAttributes": 1},
			"nothing hangs on a target group but its attributes"},
		{"one listener", []model.Key{{Kind: model.KindListener, ID: "80"}},
			map[string]int{"DescribeListeners": 1, "DescribeListenerAttributes": 1, "DescribeRules": 1, "DescribeTags": 1},
			"the other listener's rules and certificates are not asked for"},
		{"load balancer", []model.Key{{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}}, map[string]int{"DescribeLoadBalancerAttributes": 1},
			"its attributes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire()
			c := a.client(t, w)
			if _, err := c.Observe(t.Context(), owner(), []model.Key{}); err != nil {
				t.Fatal(err)
			}
			w.take(false)
			if _, err := c.Observe(t.Context(), owner(), tt.keys); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, w.take(false)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

func TestForgetFindsWhatSomebodyElseChanged(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	c := a.client(t, nil)
	converge(t, c, desired)

	other := desired
	other.TargetGroups = []model.TargetGroup{desired.TargetGroups[0], desired.TargetGroups[1]}
	other.TargetGroups[0].HealthCheck.Path = "/drifted"
	lb := *desired.LoadBalancer
	lb.Attributes, lb.Tags = map[string]string{"idle_timeout.timeout_seconds": "7"}, maps.Clone(lb.Tags)
	lb.Tags["team"] = "drifted"
	other.LoadBalancer = &lb
	converge(t, a.client(t, nil), other)

	if left := plan.Diff(desired, observe(t, c), plan.Options{}); !left.Empty() {
		t.Fatalf("before Forget the inventory is what it was, yet:\n%s", left.Text())
	}
	c.Forget(owner())
	same(t, "after Forget what is kept is not what AWS holds", observe(t, c), observe(t, a.client(t, nil)))
}
