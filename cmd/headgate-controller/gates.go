package main

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gatesFlag is the flag of feature gates, Name=bool with commas between.
type gatesFlag struct{ to map[string]*bool }

// gates are the feature gates that are served, by the incumbent's names.
func (s *settings) gates() map[string]*bool {
	return map[string]*bool{
		"ALBSingleSubnet": &s.SingleSubnet, "ALBTargetControlAgent": &s.Webhooks.Agents,
		"EnableCertificateManagement": &s.CertificateManagement, "LBCapacityReservation": &s.Capacity,
	}
}

// defineAddons declares the flags of what other services give a load balancer, and the gates.
func (s *settings) defineAddons(fs *flag.FlagSet) {
	fs.BoolVar(&s.WAFv2, "enable-wafv2", true, "serve web ACLs of AWS WAF; off, what asks for one answers 503")
	fs.BoolVar(&s.WAF, "enable-waf", true, "serve web ACLs of WAF Classic (Regional); off, what asks for one answers 503")
	fs.BoolVar(&s.Shield, "enable-shield", true, "serve protections of Shield Advanced")
	s.Capacity = true
	fs.Var(gatesFlag{s.gates()}, "feature-gates", "feature gates (Name=true|false,…): "+strings.Join(slices.Sorted(maps.Keys(s.gates())), ", "))
}

// String is the gates, sorted.
func (g gatesFlag) String() string {
	parts := make([]string, 0, len(g.to))
	for _, name := range slices.Sorted(maps.Keys(g.to)) {
		parts = append(parts, name+"="+strconv.FormatBool(*g.to[name]))
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
			return fmt.Errorf("feature gate %q is not served: leave it out; those that are: %s", name, strings.Join(slices.Sorted(maps.Keys(g.to)), ", "))
		}
		on, err := strconv.ParseBool(strings.TrimSpace(value))
		if err != nil {
			return fmt.Errorf("feature gate %s is %q: write true or false", name, value)
		}
		*to = on
	}
	return nil
}
