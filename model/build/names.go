package build

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model/intent"
)

// Names of AWS resources are at most 32 characters: letters, digits and single hyphens (ELBv2 API, CreateLoadBalancer.Name).
const (
	nameHash  = 10
	nameShort = 8
	nameLong  = 17
)

// loadBalancerName is the name of a load balancer without one of its user's. It carries the scheme, so that a load balancer can
// stand beside the one that it replaces.
func loadBalancerName(in intent.Intent, scheme string) string {
	return ownerName(in, scheme)
}

// securityGroupName is the name of the managed security group.
func securityGroupName(in intent.Intent) string {
	return ownerName(in, "security-group")
}

func ownerName(in intent.Intent, purpose string) string {
	hash := shortHash(in.Defaults.Cluster, in.Owner.Prefix, in.Owner.Stack, purpose)
	if in.Group != "" {
		return "k8s-" + plain(in.Group, nameLong) + "-" + hash
	}
	return "k8s-" + plain(in.Namespace, nameShort) + "-" + plain(in.Name, nameShort) + "-" + hash
}

// targetGroupName hashes over whatever makes AWS refuse to modify a group, so that old and new can stand side by side.
func targetGroupName(in intent.Intent, s *intent.Service, g groupShape) string {
	parts := []string{
		in.Defaults.Cluster, s.NameKey, s.ID, s.UID, s.Port, strconv.Itoa(s.TargetPort), g.targetType, g.protocol, g.version, g.family,
	}
	if g.controlPort != 0 {
		parts = append(parts, strconv.Itoa(g.controlPort))
	}
	hash := shortHash(parts...)
	return "k8s-" + plain(s.Namespace, nameShort) + "-" + plain(s.Name, nameShort) + "-" + hash
}

func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:nameHash]
}

// plain keeps letters and digits, at most limit of them; names with two hyphens in a row are refused, so there is always one.
func plain(s string, limit int) string {
	out := strings.Map(func(r rune) rune {
		if isAlphanumeric(r) {
			return r
		}
		return -1
	}, s)
	if out == "" {
		return "x"
	}
	return out[:min(len(out), limit)]
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// nameProblem says what is wrong with a name that a user gave a load balancer; empty when nothing is (ELBv2 API, CreateLoadBalancer.Name).
func nameProblem(name string) string {
	switch {
	case strings.HasPrefix(name, "internal-"):
		return `may not begin with "internal-"`
	case strings.Contains(name, "--"):
		return "may have hyphens only one at a time between letters and digits"
	}
	return groupNameProblem(name)
}

// groupNameProblem is the same of a target group (ELBv2 API, CreateTargetGroup.Name).
func groupNameProblem(name string) string {
	switch {
	case len(name) > 32:
		return "is longer than 32 characters"
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return "may not begin or end with a hyphen"
	case strings.ContainsFunc(name, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }):
		return "may have letters, digits and hyphens only"
	}
	return ""
}
