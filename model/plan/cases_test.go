package plan_test

import (
	"maps"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

type stackCase struct {
	why  string
	edit func(*model.Stack)
	ops  []plan.Op
	opts plan.Options
	// note is part of a note that the plan must have.
	note string
}

func resourceCases() []stackCase {
	return []stackCase{
		{why: "nothing changes", edit: func(*model.Stack) {}},
		{
			why: "subnets, address type, security groups, attributes and tags of a load balancer are modified",
			edit: func(s *model.Stack) {
				s.LoadBalancer.Subnets = []string{"subnet-a", "subnet-c"}
				s.LoadBalancer.IPAddressType = "dualstack"
				s.LoadBalancer.SecurityGroups = []model.GroupRef{{ID: "sg-theirs"}, {Key: "ManagedLBSecurityGroup"}}
				s.LoadBalancer.Attributes = map[string]string{"idle_timeout.timeout_seconds": "30"}
				s.LoadBalancer.Tags["team"] = "other"
			},
			ops: []plan.Op{
				plan.SetSubnets, plan.SetIPAddressType, plan.SetSecurityGroups, plan.ModifyLoadBalancerAttributes, plan.AddTags,
			},
		},
		{
			why: "health checks, attributes and tags of a target group are modified; an out-of-date port is not",
			edit: func(s *model.Stack) {
				g := &s.TargetGroups[0]
				g.Port, g.HealthCheck.Path = 9090, "/ready"
				g.Attributes = map[string]string{"deregistration_delay.timeout_seconds": "30"}
				g.Tags = maps.Clone(g.Tags)
				g.Tags["team"] = "cart"
			},
			ops: []plan.Op{plan.ModifyTargetGroup, plan.ModifyTargetGroupAttributes, plan.AddTags},
		},
		{
			why:  "a target group of another protocol is a new one: rules move over, then the old one goes",
			edit: func(s *model.Stack) { s.TargetGroups[1].Protocol = "HTTPS" },
			ops:  []plan.Op{plan.CreateTargetGroup, plan.ModifyRule, plan.ModifyRule, plan.DeleteTargetGroup},
		},
		{
			why:  "a load balancer of another scheme is a new one, with target groups of its own; the old one goes last",
			edit: func(s *model.Stack) { s.LoadBalancer.Scheme = "internet-facing" },
			note: "the address changes",
			ops: []plan.Op{
				plan.CreateLoadBalancer, plan.ModifyLoadBalancerAttributes, plan.CreateTargetGroup, plan.CreateTargetGroup,
				plan.CreateListener, plan.CreateRule, plan.CreateRule, plan.CreateListener, plan.AddListenerCertificates, plan.CreateRule,
				plan.DeleteLoadBalancer, plan.DeleteTargetGroup, plan.DeleteTargetGroup,
			},
		},
	}
}

func listenerCases() []stackCase {
	return []stackCase{
		{
			why:  "certificates are added before others are removed, and the default between",
			edit: func(s *model.Stack) { s.Listeners[1].Certificates = []model.ARN{"cert-3", "cert-1"} },
			ops:  []plan.Op{plan.AddListenerCertificates, plan.ModifyListener, plan.RemoveListenerCertificates},
		},
		{
			why: "a listener is modified with one call, and its attributes and tags with one each",
			edit: func(s *model.Stack) {
				l := &s.Listeners[1]
				l.SSLPolicy, l.DefaultActions = "policy-2", fixed("503")
				l.Attributes = map[string]string{"routing.http.response.server.enabled": "false"}
				l.Tags = map[string]string{"team": "tls"}
			},
			ops: []plan.Op{plan.ModifyListener, plan.ModifyListenerAttributes, plan.AddTags},
		},
		{
			why: "plain HTTP becomes HTTPS in place, and only then takes more certificates; its answer changes after new rules",
			edit: func(s *model.Stack) {
				l := &s.Listeners[0]
				l.Protocol, l.SSLPolicy, l.Certificates = "HTTPS", "policy-1", []model.ARN{"cert-1", "cert-2"}
				l.DefaultActions = fixed("503")
				l.Rules = append([]model.Rule{rule(fixed("200"), path("/new"))}, l.Rules...)
			},
			ops: []plan.Op{plan.ModifyListener, plan.AddListenerCertificates, plan.CreateRule, plan.ModifyListener},
		},
		{
			why:  "a listener that goes takes its rules with it, and the group that only they used follows",
			edit: func(s *model.Stack) { s.Listeners, s.TargetGroups = s.Listeners[1:], s.TargetGroups[1:] },
			ops:  []plan.Op{plan.DeleteListener, plan.DeleteTargetGroup},
		},
		{
			why: "permissions are authorised before others are revoked, one call each",
			edit: func(s *model.Stack) {
				s.SecurityGroups[0].Ingress = []model.Permission{
					{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "10.0.0.0/8"},
					{Protocol: "tcp", FromPort: 443, ToPort: 443, PrefixList: "pl-1"},
				}
			},
			ops: []plan.Op{plan.AuthorizeIngress, plan.RevokeIngress},
		},
		{
			why: "a security group goes after the load balancer left it",
			edit: func(s *model.Stack) {
				s.LoadBalancer.SecurityGroups, s.SecurityGroups = []model.GroupRef{{ID: "sg-theirs"}}, nil
			},
			ops: []plan.Op{plan.SetSecurityGroups, plan.DeleteSecurityGroup},
		},
	}
}

func acceptedCases() []stackCase {
	return []stackCase{
		{
			why:  "while it is only authorised, nothing is withdrawn",
			edit: func(s *model.Stack) { s.SecurityGroups[0].Ingress = nil },
			opts: plan.Options{AuthoriseOnly: true},
		},
		{
			why: "user tags of rules and listeners are compared, ownership tags of theirs are not",
			edit: func(s *model.Stack) {
				s.Listeners[0].Tags = map[string]string{owner().ResourceTag(): "of the incumbent", "team": "shop"}
				s.Listeners[0].Rules[0].Tags = map[string]string{owner().ResourceTag(): "80:1", "team": "cart"}
			},
			ops: []plan.Op{plan.AddTags},
		},
		{
			why: "what only others set stays; what we set is reset to AWS's default, and only if that is known",
			edit: func(s *model.Stack) {
				s.LoadBalancer.Attributes = nil
				delete(s.LoadBalancer.Tags, "team")
			},
			opts: plan.Options{Applied: map[model.Key]plan.Applied{
				{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}: {
					Attributes: map[string]string{"idle_timeout.timeout_seconds": "120", "some.unknown": "1"},
					Tags:       map[string]string{"team": "shop", "gone": "already"},
				},
			}},
			ops: []plan.Op{plan.ModifyLoadBalancerAttributes, plan.RemoveTags},
		},
		{
			why: "without knowing what we set, nothing is reset",
			edit: func(s *model.Stack) {
				s.LoadBalancer.Attributes, s.LoadBalancer.Tags = nil, owner().Tags("LoadBalancer")
			},
		},
	}
}
