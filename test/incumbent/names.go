package incumbent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

var punctuation = regexp.MustCompile("[[:^alnum:]]")

// digest hashes parts that nothing separates.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func plain(text string) string { return punctuation.ReplaceAllString(text, "") }

// named is a name of the stack with a hash.
func (a *Account) named(s *Stack, hash string) string {
	if s.Group != "" {
		return fmt.Sprintf("k8s-%.17s-%.10s", plain(s.Group), hash)
	}
	return fmt.Sprintf("k8s-%.8s-%.8s-%.10s", plain(s.Namespace), plain(s.Name), hash)
}

func (a *Account) balancerName(s *Stack) string {
	if s.Balancer.Name != "" {
		return s.Balancer.Name
	}
	return a.named(s, digest(a.Cluster, s.id(), string(s.Balancer.Scheme)))
}

func (a *Account) frontendName(s *Stack) string {
	name := a.balancerName(s)
	return name[:min(len(name), 28)] + "-nlb"
}

func (a *Account) securityGroupName(s *Stack) string { return a.named(s, digest(a.Cluster, s.id())) }

func (a *Account) backendName() string {
	return fmt.Sprintf("k8s-traffic-%.232s-%.10s", plain(a.Cluster), digest(a.Cluster))
}

func (a *Account) targetGroupName(s *Stack, g *TargetGroup) string {
	hash := digest(a.Cluster, s.id(), g.Key, g.UID, g.Port.String(), strconv.Itoa(int(g.port())), string(g.TargetType), string(g.Protocol), g.Version)
	return fmt.Sprintf("k8s-%.8s-%.8s-%.10s", plain(g.Namespace), plain(g.Service), hash)
}

func (a *Account) frontendGroupName(s *Stack, port int32) string {
	return a.named(s, digest(a.Cluster, s.id(), strconv.Itoa(int(port)), string(elbtypes.TargetTypeEnumAlb), "TCP", "traffic-port", "HTTP"))
}

// Name is the name that the target group was made with, and that of its binding.
func (g *TargetGroup) Name() string { return g.name }

// port is what the target group is made with: 1 where the target port is a name.
func (g *TargetGroup) port() int32 {
	if n := g.TargetPort.IntVal; n != 0 {
		return n
	}
	return 1
}
