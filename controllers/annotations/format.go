package annotations

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/headgate/headgate/model"
)

const (
	maxGroupName        = 63
	maxLoadBalancerName = 32
	maxTagKey           = 128
	maxTagValue         = 256
)

func checkFilled(s string) error {
	if s == "" {
		return errors.New(`"" is no value: write one, or leave the annotation out`)
	}
	return nil
}

// policyPrefix is how all security policies of AWS begin; load balancers of layer 7 have no others.
const policyPrefix = "ELBSecurityPolicy-"

// CheckPolicy tells what is wrong with the name of a security policy.
func CheckPolicy(s string) error {
	if rest, ok := strings.CutPrefix(s, policyPrefix); !ok || rest == "" || strings.ContainsFunc(rest, notOfName) {
		return fmt.Errorf("%s is no security policy: write the name of one of AWS, %s…", quote(s), policyPrefix)
	}
	return nil
}

// CheckGroupName tells what is wrong with the name of a group.
func CheckGroupName(s string) error {
	inner := strings.Trim(s, "-.")
	if s == "" || len(s) > maxGroupName || inner != s || strings.IndexFunc(s, notInGroupName) >= 0 {
		return fmt.Errorf("%s is no name of a group: write up to %d of a-z, 0-9, '-' and '.', with a letter or digit at both ends",
			quote(s), maxGroupName)
	}
	return nil
}

func notInGroupName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

// CheckLoadBalancerName tells what AWS refuses about the name of a load balancer.
func CheckLoadBalancerName(s string) error {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
	if s == "" || len(s) > maxLoadBalancerName || !plain || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") ||
		strings.HasPrefix(s, "internal-") {
		return fmt.Errorf("%s is no name of a load balancer: write up to %d letters, digits and '-', not at the ends, and no \"internal-\" before them",
			quote(s), maxLoadBalancerName)
	}
	return nil
}

// CheckCIDR tells whether a value is no IPv4 or IPv6 block.
func CheckCIDR(s string) error {
	if _, err := netip.ParsePrefix(s); err != nil {
		return fmt.Errorf("%s is no address block: write it as 10.0.0.0/8 or 2001:db8::/32", quote(s))
	}
	return nil
}

// CheckHostBits tells of an address block with bits behind its mask: AWS drops them, and it may be that one address was meant.
func CheckHostBits(s string) error {
	p, _ := netip.ParsePrefix(s)
	if p == p.Masked() {
		return nil
	}
	return fmt.Errorf("%s has bits behind its mask, which AWS drops: write %s for the block, or %s for the address",
		quote(s), p.Masked(), netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
}

// maskedRanges is [CheckHostBits] of a list.
func maskedRanges(raw string) error {
	for _, v := range parseList(raw) {
		if err := CheckHostBits(v); err != nil {
			return err
		}
	}
	return nil
}

// checkTags holds what AWS refuses, and what would take a resource away from its owner.
func checkTags(raw string) error {
	tags, err := parseMap(raw)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if err := CheckTag(key, tags[key]); err != nil {
			return err
		}
	}
	return nil
}

// CheckTag tells what is wrong with a tag that a user wrote.
func CheckTag(key, value string) error {
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return fmt.Errorf("tag %s is AWS's own: leave it out", quote(key))
	case model.IsOwnershipTag(key):
		return fmt.Errorf("tag %s says who owns a resource: leave it out", quote(key))
	case len(key) > maxTagKey || len(value) > maxTagValue:
		return fmt.Errorf("tag %s is too long: AWS takes %d characters of key and %d of value", quote(key), maxTagKey, maxTagValue)
	}
	return nil
}

// checkNodeLabels tells what labels of nodes cannot be.
func checkNodeLabels(raw string) error {
	pairs, err := parseMap(raw)
	if err != nil {
		return err
	}
	if _, err := labels.ValidatedSelectorFromSet(pairs); err != nil {
		return fmt.Errorf("%s are no labels: write pairs as nodes have them, of letters, digits, '-', '_' and '.', with letters or digits at both ends",
			quote(raw))
	}
	return nil
}

func checkHealthPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%s is no path: write one that begins with /", quote(s))
	}
	return nil
}

func checkCodes(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		low, high, ranged := strings.Cut(part, "-")
		if !isCode(low) || ranged && !isCode(high) {
			return fmt.Errorf(`%s is no list of codes: write "200", "200,302" or "200-299"`, quote(s))
		}
	}
	return nil
}

func isCode(s string) bool {
	return s != "" && len(s) <= len("200") && strings.Trim(s, "0123456789") == ""
}

// CheckPort tells whether a value is no number of a port.
func CheckPort(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > maxPort {
		return fmt.Errorf("%s is no port: write a number from 1 to %d", quote(s), maxPort)
	}
	return nil
}
