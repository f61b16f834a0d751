package flags

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/cmd/headgate-controller/wire"
)

// gatesFlag is the flag of feature gates, Name=bool with commas between.
type gatesFlag struct{ to map[string]gate }

// gate is a feature gate of the incumbent.
type gate struct {
	// to is what it switches; nil where Headgate knows one way only, which is always.
	to     *bool
	always bool
	// off says that the gate and what it switches are each other's opposite.
	off bool
	// why there is one way only, and what to do instead.
	why string
}

// get is the value of a gate.
func (g gate) get() bool {
	if g.to == nil {
		return g.always
	}
	return *g.to != g.off
}

// gates are the feature gates of the incumbent, by its names.
func gates(s *wire.Settings) map[string]gate {
	out := fixedGates()
	for name, to := range map[string]*bool{
		"ALBSingleSubnet": &s.SingleSubnet, "ALBTargetControlAgent": &s.Webhooks.Agents,
		"EnableCertificateManagement": &s.CertificateManagement, "LBCapacityReservation": &s.Capacity,
		"EnableDefaultTagsLowPriority": &s.Tuning.TagsYield, "EndpointsFailOpen": &s.FailOpen,
	} {
		out[name] = gate{to: to}
	}
	out["SubnetsClusterTagCheck"] = gate{to: &s.Tuning.SharedSubnets, off: true}
	out["SubnetDiscoveryByReachability"] = gate{to: &s.Tuning.SubnetsByRole, off: true}
	return out
}

// fixedGates are those that Headgate has one way for. They may be written as it is, so that a command line of the incumbent's serves.
func fixedGates() map[string]gate {
	always := func(why string) gate { return gate{always: true, why: why} }
	never := func(why string) gate { return gate{why: why} }
	return map[string]gate{
		"ListenerRulesTagging":         always("what is ours is known by its tags"),
		"WeightedTargetGroups":         always("weights are served"),
		"EnableIPTargetType":           always("targets of the type ip are served"),
		"EnhancedDefaultBehavior":      always("what an Ingress asked for and asks for no more is reset"),
		"ALBGatewayAPI":                always("Gateways are served where their kinds are installed"),
		"EnableServiceController":      never("Services of type LoadBalancer are not served"),
		"ServiceTypeLoadBalancerOnly":  never("Services of type LoadBalancer are not served"),
		"EnableTCPUDPListener":         never("Services of type LoadBalancer are not served"),
		"NLBGatewayAPI":                never("Gateways of class gateway.k8s.aws/nlb are not served"),
		"NLBHealthCheckAdvancedConfig": always("AWS changes all of a health check in place"),
		"NLBSecurityGroup":             always("network load balancers have security groups"),
		"GatewayListenerSet":           never("ListenerSets are not served"),
		"GlobalAcceleratorController":  never("GlobalAccelerators are not served"),
		"EnableRGTAPI":                 never("resources are listed by their own services, which need no further right"),
		"IngressPlanAnnotation":        never("plans are shown by the LoadBalancer object, and by headgate plan"),
	}
}

// defineAddons declares the flags of what other services give a load balancer, and the gates.
func defineAddons(fs *flag.FlagSet, s *wire.Settings) {
	fs.BoolVar(&s.WAFv2, "enable-wafv2", true, "serve web ACLs of AWS WAF; off, what asks for one answers 503")
	fs.BoolVar(&s.WAF, "enable-waf", true, "serve web ACLs of WAF Classic (Regional); off, what asks for one answers 503")
	fs.BoolVar(&s.Shield, "enable-shield", true, "serve protections of Shield Advanced")
	s.Capacity, s.FailOpen = true, true // the gates show their defaults
	fs.Var(gatesFlag{gates(s)}, "feature-gates", "feature gates of the incumbent (Name=true|false,…); those that have one way only here are refused otherwise")
}

// defineRules declares what Ingresses may do, and what is made of what is not there.
func defineRules(fs *flag.FlagSet, s *wire.Settings) {
	fs.BoolVar(&s.NoClassAnnotation, "disable-ingress-class-annotation", false, "refuse kubernetes.io/ingress.class on new Ingresses")
	fs.BoolVar(&s.NoGroupAnnotation, "disable-ingress-group-name-annotation", false, "refuse alb.ingress.kubernetes.io/group.name of new members")
	fs.Var(notFlag{&s.DemandServices}, "tolerate-non-existent-backend-service",
		"answer 503 for a Service that is not there; off, its Ingress stays at its last good state")
	fs.Var(notFlag{&s.DemandActions}, "tolerate-non-existent-backend-action",
		"answer 503 for an action that is not there; off, its Ingress stays at its last good state")
	fs.BoolVar(&s.Tuning.ManageBackendRules, "enable-manage-backend-security-group-rules", false,
		"let pods admit load balancers with security groups of users too, where the object does not say; needs --enable-backend-security-group")
	fs.Var(onFlag{}, "enable-endpoint-slices", "always true, and refused otherwise: targets come from EndpointSlices")
}

// onFlag is a flag of the incumbent that is always on.
type onFlag struct{}

var errAlwaysOn = errors.New("it is always on: leave it out")

// IsBoolFlag lets the flag be written without a value.
func (onFlag) IsBoolFlag() bool { return true }

// String is the flag's value.
func (onFlag) String() string { return "true" }

// Set refuses all but true.
func (onFlag) Set(s string) error {
	if on, err := strconv.ParseBool(s); err != nil || !on {
		return errAlwaysOn
	}
	return nil
}

// notFlag is a bool flag that is on while what it sets is not.
type notFlag struct{ to *bool }

// IsBoolFlag lets the flag be written without a value.
func (notFlag) IsBoolFlag() bool { return true }

// String is the flag's value.
func (f notFlag) String() string {
	return strconv.FormatBool(f.to == nil || !*f.to)
}

// Set takes the flag's value.
func (f notFlag) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	*f.to = !on
	return nil
}

// String is the gates, sorted.
func (g gatesFlag) String() string {
	parts := make([]string, 0, len(g.to))
	for _, name := range slices.Sorted(maps.Keys(g.to)) {
		parts = append(parts, name+"="+strconv.FormatBool(g.to[name].get()))
	}
	return strings.Join(parts, ",")
}

// Set changes the gates that are named. One that is not known is refused, never ignored.
func (g gatesFlag) Set(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if name == "" && value == "" {
			continue
		}
		to, ok := g.to[name]
		if !ok {
			return fmt.Errorf("feature gate %q is not known: leave it out; those that are: %s", name, strings.Join(slices.Sorted(maps.Keys(g.to)), ", "))
		}
		on, err := strconv.ParseBool(strings.TrimSpace(value))
		if err != nil {
			return fmt.Errorf("feature gate %s is %q: write true or false", name, value)
		}
		if to.to == nil && on != to.always {
			return fmt.Errorf("feature gate %s is always %t here, for %s: leave it out", name, to.always, to.why)
		}
		if to.to != nil {
			*to.to = on != to.off
		}
	}
	return nil
}
