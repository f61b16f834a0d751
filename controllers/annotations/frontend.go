package annotations

import (
	"errors"
	"fmt"
	"strconv"
)

// Keys of the network load balancer in front.
const (
	FrontendEnabled            = "enable-frontend-nlb"
	FrontendScheme             = "frontend-nlb-scheme"
	FrontendSubnets            = "frontend-nlb-subnets"
	FrontendSecurityGroups     = "frontend-nlb-security-groups"
	FrontendPorts              = "frontend-nlb-listener-port-mapping"
	FrontendHealthPort         = "frontend-nlb-healthcheck-port"
	FrontendHealthProtocol     = "frontend-nlb-healthcheck-protocol"
	FrontendHealthPath         = "frontend-nlb-healthcheck-path"
	FrontendHealthInterval     = "frontend-nlb-healthcheck-interval-seconds"
	FrontendHealthTimeout      = "frontend-nlb-healthcheck-timeout-seconds"
	FrontendHealthyThreshold   = "frontend-nlb-healthcheck-healthy-threshold-count"
	FrontendUnhealthyThreshold = "frontend-nlb-healthcheck-unhealthy-threshold-count"
	FrontendSuccessCodes       = "frontend-nlb-healthcheck-success-codes"
	FrontendTags               = "frontend-nlb-tags"
	FrontendAllocations        = "frontend-nlb-eip-allocations"
	FrontendAttributes         = "frontend-nlb-attributes"
)

func frontendSpecs() []Spec {
	specs := []Spec{
		{Key: FrontendEnabled, Type: Bool, Scope: Exclusive, Default: "false"},
		{
			Key: FrontendScheme, Scope: Exclusive, Default: "the operator's setting",
			Values: []string{schemeInternal, schemeInternetFacing},
		},
		{Key: FrontendSubnets, Type: List, Scope: Exclusive, Default: "discovered by their tags", Check: checkSubnet},
		{Key: FrontendSecurityGroups, Type: List, Scope: Exclusive, Default: "those of the ALB", Check: checkGroup, Guards: written},
		{Key: FrontendPorts, Type: Map, Scope: Merge, Default: "each port to the same one", Check: checkPortMap},
		{Key: FrontendTags, Type: Map, Scope: Merge, Default: "those of the ALB", Check: checkTags},
		{Key: FrontendAllocations, Type: List, Scope: Exclusive, Check: checkAllocation},
		{Key: FrontendAttributes, Type: Map, Scope: Merge},
	}
	specs = append(specs, frontendHealthSpecs()...)
	for i := range specs {
		specs[i].On = OnIngress
	}
	return specs
}

func frontendHealthSpecs() []Spec {
	const threshold = "3"
	specs := []Spec{
		{Key: FrontendHealthPort, Default: "traffic-port", Check: checkHealthPort},
		{Key: FrontendHealthProtocol, Default: "HTTP", Values: []string{"HTTP", "HTTPS"}},
		{Key: FrontendHealthPath, Default: "/", Check: checkHealthPath},
		{Key: FrontendHealthInterval, Type: Int, Default: defaultHealthInterval, Min: 5, Max: maxHealthSeconds},
		{Key: FrontendHealthTimeout, Type: Int, Default: "5", Min: 2, Max: maxTimeoutSeconds},
		{Key: FrontendHealthyThreshold, Type: Int, Default: threshold, Min: 2, Max: maxThreshold},
		{Key: FrontendUnhealthyThreshold, Type: Int, Default: threshold, Min: 2, Max: maxThreshold},
		{Key: FrontendSuccessCodes, Default: "200", Check: checkCodes},
	}
	for i := range specs {
		specs[i].Scope = PerPort
	}
	return specs
}

// checkPortMap demands ports on both sides: "8080=80, 8443=443".
func checkPortMap(value string) error {
	pairs, err := parseMap(value)
	if err != nil {
		return err
	}
	for from, to := range pairs {
		for _, port := range []string{from, to} {
			if err := CheckPort(port); err != nil {
				return fmt.Errorf("%w; write <port of the NLB>=<port of the ALB>, with commas between them", err)
			}
		}
	}
	return nil
}

// PortMap is a value of [FrontendPorts] that has its form, by the port of the frontend.
func (r Reader) PortMap(key string) map[int]int {
	out := map[int]int{}
	for from, to := range r.Map(key) {
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA == nil && errB == nil {
			out[a] = b
		}
	}
	return out
}

var errHealthPort = errors.New("is no port")

func checkHealthPort(value string) error {
	if value == "traffic-port" {
		return nil
	}
	if err := CheckPort(value); err != nil {
		return fmt.Errorf("%s %w: write traffic-port or a number", quote(value), errHealthPort)
	}
	return nil
}
