package elb

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// index finds what the tables hold without going through them. It says nothing that they do not say: it can be made of them anew.
type index struct {
	// balancers, groups and stores are by name; names are the load balancers by DNS name in lower case.
	balancers map[string]*loadBalancer
	groups    map[string]*targetGroup
	stores    map[string]*trustStore
	names     map[string]*loadBalancer
	kinds     map[elbtypes.LoadBalancerTypeEnum]int
	// geneve counts the target groups of gateway load balancers.
	geneve int
	// addresses are the loopback addresses in use; allocations are the names of the load balancers that hold Elastic IP addresses.
	addresses   map[netip.Addr]bool
	allocations map[string]string
	// certified and trusting are the listeners by the ARNs of their certificates and of their trust store.
	certified, trusting map[string]map[*listener]bool
	// behind are the target groups by the ARN of the load balancer that is registered in them.
	behind map[string]map[*targetGroup]bool
	// draining are the target groups that may have draining targets.
	draining map[*targetGroup]bool
}

func newIndex() index {
	return index{
		balancers: map[string]*loadBalancer{}, groups: map[string]*targetGroup{}, stores: map[string]*trustStore{},
		names: map[string]*loadBalancer{}, kinds: map[elbtypes.LoadBalancerTypeEnum]int{}, addresses: map[netip.Addr]bool{},
		allocations: map[string]string{}, certified: map[string]map[*listener]bool{}, trusting: map[string]map[*listener]bool{},
		behind: map[string]map[*targetGroup]bool{}, draining: map[*targetGroup]bool{},
	}
}

func (x *index) addBalancer(lb *loadBalancer) {
	x.balancers[*lb.LoadBalancerName] = lb
	x.names[strings.ToLower(*lb.DNSName)] = lb
	x.kinds[lb.Type]++
	x.addresses[lb.address] = true
	x.addAllocations(lb)
}

func (x *index) removeBalancer(lb *loadBalancer) {
	delete(x.balancers, *lb.LoadBalancerName)
	delete(x.names, strings.ToLower(*lb.DNSName))
	delete(x.addresses, lb.address)
	if x.kinds[lb.Type]--; x.kinds[lb.Type] == 0 {
		delete(x.kinds, lb.Type)
	}
	x.removeAllocations(lb)
}

func allocationsOf(lb *loadBalancer) []string {
	return slices.Collect(maps.Values(allocationsBySubnet(lb)))
}

func (x *index) addAllocations(lb *loadBalancer) {
	for _, a := range allocationsOf(lb) {
		x.allocations[a] = *lb.LoadBalancerName
	}
}

func (x *index) removeAllocations(lb *loadBalancer) {
	for _, a := range allocationsOf(lb) {
		delete(x.allocations, a)
	}
}

// add and drop keep sets by key. An empty set is not kept.
func add[T comparable](sets map[string]map[T]bool, key string, member T) {
	if sets[key] == nil {
		sets[key] = map[T]bool{}
	}
	sets[key][member] = true
}

func drop[T comparable](sets map[string]map[T]bool, key string, member T) {
	delete(sets[key], member)
	if len(sets[key]) == 0 {
		delete(sets, key)
	}
}

// certificatesOf lists the default certificate of a listener and the others.
func certificatesOf(l *listener) []string {
	all := view(l.Certificates, func(c elbtypes.Certificate) string { return aws.ToString(c.CertificateArn) })
	return append(all, l.certificates...)
}

// trustStoreOf gives the ARN of the trust store that a listener verifies against.
func trustStoreOf(l *listener) (string, bool) {
	if l.MutualAuthentication == nil || l.MutualAuthentication.TrustStoreArn == nil {
		return "", false
	}
	return *l.MutualAuthentication.TrustStoreArn, true
}

func (x *index) addListener(l *listener) {
	for _, arn := range certificatesOf(l) {
		add(x.certified, arn, l)
	}
	if arn, ok := trustStoreOf(l); ok {
		add(x.trusting, arn, l)
	}
}

func (x *index) removeListener(l *listener) {
	for _, arn := range certificatesOf(l) {
		drop(x.certified, arn, l)
	}
	if arn, ok := trustStoreOf(l); ok {
		drop(x.trusting, arn, l)
	}
}

func (x *index) addGroup(g *targetGroup) {
	x.groups[*g.TargetGroupName] = g
	if g.Protocol == elbtypes.ProtocolEnumGeneve {
		x.geneve++
	}
}

func (x *index) removeGroup(g *targetGroup) {
	if g.Protocol == elbtypes.ProtocolEnumGeneve {
		x.geneve--
	}
	delete(x.groups, *g.TargetGroupName)
	delete(x.draining, g)
	for _, t := range g.targets.All() {
		x.removeTarget(g, *t.Id)
	}
}

func (x *index) addTarget(g *targetGroup, id string) {
	if g.TargetType == elbtypes.TargetTypeEnumAlb {
		add(x.behind, id, g)
	}
}

func (x *index) removeTarget(g *targetGroup, id string) {
	if g.TargetType == elbtypes.TargetTypeEnumAlb {
		drop(x.behind, id, g)
	}
}

// balancersOf gives the ARNs of the load balancers of some listeners, in a fixed order.
func balancersOf(listeners map[*listener]bool) []string {
	var all []string
	for l := range listeners {
		all = append(all, *l.balancer.LoadBalancerArn)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
