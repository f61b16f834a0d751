package elb

import "github.com/headgate/headgate/cloud/sim/wire"

// invalid is the error for input that AWS refuses whatever the state is.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

// unfit is the error for settings that do not go together.
func unfit(format string, args ...any) error {
	return wire.Errorf("InvalidConfigurationRequest", format, args...)
}

func noLoadBalancer(name string) error {
	return wire.Errorf("LoadBalancerNotFound", "One or more load balancers not found: '%s'", name)
}

func noListener(arn string) error {
	return wire.Errorf("ListenerNotFound", "One or more listeners not found: '%s'", arn)
}

func noRule(arn string) error {
	return wire.Errorf("RuleNotFound", "One or more rules not found: '%s'", arn)
}

func noTargetGroup(name string) error {
	return wire.Errorf("TargetGroupNotFound", "One or more target groups not found: '%s'", name)
}
