package annotations

import (
	"fmt"
	"strconv"
	"strings"
)

// Keys of what other services give a load balancer.
const (
	WAFv2ARN             = "wafv2-acl-arn"
	WAFv2Name            = "wafv2-acl-name"
	WAFClassic           = "waf-acl-id"
	WAFClassicDeprecated = "web-acl-id"
	ShieldProtection     = "shield-advanced-protection"
	MinimumCapacity      = "minimum-load-balancer-capacity"
	IPAMPool             = "ipam-ipv4-pool-id"
	CustomerOwnedPool    = "customer-owned-ipv4-pool"

	capacityUnits = "CapacityUnits"
	maxUnits      = 999999999
	maxACLName    = 128
)

// addonSpecs are the keys of what other services give a load balancer.
func addonSpecs() []Spec {
	leave := "left as it is"
	specs := []Spec{
		{Key: WAFv2ARN, Default: leave, Check: CheckWebACL},
		{Key: WAFv2Name, Default: leave, Check: CheckWebACLName},
		{Key: WAFClassic, Default: leave, Check: checkClassicACL},
		{Key: WAFClassicDeprecated, Default: leave, Check: checkClassicACL},
	}
	for i := range specs {
		specs[i].Off, specs[i].Guards = []string{"none", ""}, asksForFirewall
	}
	specs = append(specs,
		Spec{Key: ShieldProtection, Type: Bool, Default: leave},
		Spec{Key: MinimumCapacity, Type: Map, Default: leave, Check: checkCapacity},
		Spec{Key: IPAMPool, Default: "addresses of AWS", Check: CheckIPAMPool},
		Spec{Key: CustomerOwnedPool, Default: "none", Check: checkOwnedPool},
	)
	for i := range specs {
		specs[i].On, specs[i].Scope = OnIngress, Exclusive
	}
	return specs
}

// NoFirewall tells whether a value asks for no web ACL: there is none to be, or nothing is said.
func NoFirewall(value string) bool { return value == "" || strings.EqualFold(value, "none") }

func asksForFirewall(value string) bool { return !NoFirewall(value) }

// CheckWebACLName tells what is wrong with the name of a web ACL of AWS WAF.
func CheckWebACLName(s string) error {
	if NoFirewall(s) || len(s) <= maxACLName && !strings.ContainsFunc(s, notOfName) {
		return nil
	}
	return fmt.Errorf("%s is no name of a web ACL: write up to %d letters, digits, - and _, or none", quote(s), maxACLName)
}

func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

func checkClassicACL(s string) error {
	if NoFirewall(s) || len(s) <= maxACLName && !strings.ContainsFunc(s, notOfName) {
		return nil
	}
	return fmt.Errorf("%s is no web ACL of WAF Classic: write its ID, or none", quote(s))
}

func checkCapacity(raw string) error {
	pairs, err := parseMap(raw)
	if err != nil {
		return err
	}
	units, ok := pairs[capacityUnits]
	n, err := strconv.Atoi(units)
	if !ok || len(pairs) > 1 || err != nil || n < 0 || n > maxUnits {
		return fmt.Errorf("%s is no capacity: write %s=<a whole number>, 0 to give all back", quote(raw), capacityUnits)
	}
	return nil
}

// CapacityUnits reads the value of [MinimumCapacity], in digits; it is empty where there is none.
func (r Reader) CapacityUnits() string { return r.Map(MinimumCapacity)[capacityUnits] }
