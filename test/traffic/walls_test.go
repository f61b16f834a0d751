package traffic

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim"
)

// walls looks at security groups, which the data plane does not: after every call of the operator that may change whom they admit, it notes
// who could connect to whom. Calls are answered when that is done, so that no state between two calls that follow each other is missed.
type walls struct {
	stage *stage
	mu    sync.Mutex
	// held are the states since the last look; on says that they are noted.
	held []passages
	on   bool
}

// passages are connections that security groups admit, to ports that listen: "load balancer <- client", "load balancer -> target"; and which load
// balancers clients know.
type passages map[string]bool

// published is the passage that says that clients know a load balancer.
const published = " is published"

// public is the passage that says that a load balancer is on the internet.
const public = " is on the internet"

// leaving tells whether a load balancer that is on the internet has a successor that is not: whom that admits besides it admits once the old one
// went.
func (p passages) leaving(now passages) bool {
	for passage := range p {
		if name, is := strings.CutSuffix(passage, public); is && !now.has(name) {
			return !slices.ContainsFunc(slices.Collect(maps.Keys(now)), func(other string) bool { return strings.HasSuffix(other, public) })
		}
	}
	return false
}

// isDue tells whether a passage of a load balancer that is new must be open.
func isDue(passage string, old, now passages) bool {
	return !old.has(ofBalancer(passage)) && (!old.leaving(now) || old.anyhow(passage))
}

// anyhow tells whether some load balancer has the passage of another one.
func (p passages) anyhow(passage string) bool {
	way := strings.TrimPrefix(passage, ofBalancer(passage))
	return slices.ContainsFunc(slices.Collect(maps.Keys(p.open())), func(other string) bool { return strings.HasSuffix(other, way) })
}

// would begins a passage that security groups admit, whether the port listens or not.
const would = "would: "

// ofBalancer is the load balancer of a passage.
func ofBalancer(passage string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(passage, would), " ")
	return name
}

// open are the passages to ports that listen.
func (p passages) open() passages {
	out := maps.Clone(p)
	maps.DeleteFunc(out, func(passage string, _ bool) bool { return strings.HasPrefix(passage, would) })
	return out
}

// has tells whether there is a load balancer.
func (p passages) has(balancer string) bool { return p[balancer+published] }

// strangers are clients by their addresses.
func strangers() []string { return []string{"192.0.2.7", "198.51.100.7"} }

// RoundTrip passes calls on.
func (w *walls) RoundTrip(r *http.Request) (*http.Response, error) {
	var form []byte
	if r.Body != nil {
		var err error
		if form, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("reading a call: %w", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(form))
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("calling: %w", err)
	}
	if opens(string(form)) {
		w.look()
	}
	return response, nil
}

// opens tells whether a call may change who is admitted.
func opens(form string) bool {
	return slices.ContainsFunc([]string{
		"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "SetSecurityGroups", "CreateLoadBalancer", "DeleteSecurityGroup",
		"CreateSecurityGroup",
	}, func(action string) bool { return strings.Contains(form, "Action="+action+"&") })
}

// look notes the state that is.
func (w *walls) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on {
		w.held = append(w.held, w.now())
	}
}

// begin forgets the states, and notes those to come.
func (w *walls) begin() (old passages) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held, w.on = nil, true
	return w.used(w.now())
}

// end gives what was wrong since old: who was shut out though the old and the new state admit it, and who was let in though neither does.
func (w *walls) end(old passages) (wrong []string, states int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on = false
	now, said := w.used(w.now()), map[string]bool{}
	for n, state := range w.held {
		for passage := range old.open() {
			// One that is replaced admits whom it did as long as clients know it.
			if (now[passage] || state.has(ofBalancer(passage)) && w.outlasts(passage, now)) && !state[passage] {
				said[fmt.Sprintf("%s is closed after call %d of %d", passage, n+1, len(w.held))] = true
			}
		}
		for passage := range now.open() {
			if state.has(ofBalancer(passage)) && !state[passage] && isDue(passage, old, now) {
				said[fmt.Sprintf("%s is not open yet after call %d of %d", passage, n+1, len(w.held))] = true
			}
		}
		for passage := range state {
			if !old[passage] && !now[passage] && !w.meant(passage, state, now) {
				said[fmt.Sprintf("%s is open after call %d of %d", passage, n+1, len(w.held))] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(said)), len(w.held)
}

// meant tells whether a passage is none that nobody asked for: what pods admit is a range of ports, which may be wider than what is asked for; what
// takes the place of another load balancer is not known yet; what is replaced has the security group of its successor, so that it
// admits whom that does, unless it leaves the internet; and a port that is closed may admit before whom the others do then.
func (w *walls) meant(passage string, state, now passages) bool {
	name := ofBalancer(passage)
	if strings.Contains(passage, "pods") || strings.HasSuffix(passage, published) || strings.HasSuffix(passage, public) || !state.has(name) ||
		now[would+passage] {
		return true
	}
	return !now.has(name) && !state.leaving(now) && slices.ContainsFunc(w.stage.sim.LoadBalancers(), func(lb sim.LoadBalancer) bool {
		return now[strings.Replace(passage, name, lb.Name, 1)]
	})
}

// outlasts tells whether a passage of a load balancer that is replaced stays: unless its successor, which may be stricter, has the same port.
func (w *walls) outlasts(passage string, now passages) bool {
	if now.has(ofBalancer(passage)) {
		return false
	}
	_, port, toTargets := strings.Cut(passage, " -> ")
	if !toTargets {
		port = passage[strings.LastIndex(passage, ":")+1:]
	}
	for _, lb := range w.stage.sim.LoadBalancers() {
		if !toTargets && slices.ContainsFunc(lb.Ports, func(p int32) bool { return strconv.Itoa(int(p)) == port }) {
			return now[strings.Replace(passage, ofBalancer(passage), lb.Name, 1)]
		}
	}
	return true
}

// now asks the account.
func (w *walls) now() passages {
	ctx, config := w.stage.t.Context(), w.stage.sim.AWSConfig()
	groups, err := ec2.NewFromConfig(config).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return nil // the test is over
	}
	byID, out := map[string]ec2types.SecurityGroup{}, passages{}
	for _, g := range groups.SecurityGroups {
		byID[*g.GroupId] = g
	}
	all, err := elbv2.NewFromConfig(config).DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{})
	if err != nil {
		return nil
	}
	listening, known := map[string][]int32{}, w.stage.directory.shown()
	for _, lb := range w.stage.sim.LoadBalancers() {
		listening[lb.Name] = lb.Ports
		if slices.Contains(known, strings.ToLower(lb.DNSName)) {
			out[lb.Name+published] = true
		}
	}
	for _, lb := range all.LoadBalancers {
		if lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternetFacing {
			out[*lb.LoadBalancerName+public] = true
		}
		for _, client := range strangers() {
			for _, port := range doors() {
				if !slices.ContainsFunc(lb.SecurityGroups, func(id string) bool { return admits(byID[id], netip.MustParseAddr(client), port) }) {
					continue
				}
				passage := fmt.Sprintf("%s <- %s:%d", *lb.LoadBalancerName, client, port)
				out[would+passage] = true
				if slices.Contains(listening[*lb.LoadBalancerName], port) {
					out[passage] = true
				}
			}
		}
		for _, port := range w.ports() {
			if reaches(byID[w.stage.sim.World().NodeSecurityGroup], lb, port) {
				out[fmt.Sprintf("%s -> pods:%d", *lb.LoadBalancerName, port)] = true
			}
		}
	}
	return out
}

// used leaves out of passages the ports at which no target is, of a group that a load balancer has.
func (w *walls) used(all passages) passages {
	ctx, balancing, ports := w.stage.t.Context(), elbv2.NewFromConfig(w.stage.sim.AWSConfig()), map[string]bool{}
	groups, err := balancing.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{})
	if err != nil {
		w.stage.t.Fatal(err)
	}
	for _, g := range groups.TargetGroups {
		health, err := balancing.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			w.stage.t.Fatal(err)
		}
		for _, t := range health.TargetHealthDescriptions {
			ports[fmt.Sprintf(" -> pods:%d", *t.Target.Port)] = true
		}
	}
	maps.DeleteFunc(all, func(passage string, _ bool) bool {
		at := strings.Index(passage, " -> pods:")
		return at >= 0 && !ports[passage[at:]]
	})
	return all
}

// ports are those at which pods and nodes can be targets.
func (w *walls) ports() []int32 {
	out := []int32{podPort}
	for _, service := range slices.Sorted(maps.Keys(w.stage.pods)) {
		for _, port := range []int{80, 81} {
			out = append(out, int32(nodePort(service, port)))
		}
	}
	return out
}

// admits tells whether a security group lets an address in to a port.
func admits(g ec2types.SecurityGroup, from netip.Addr, port int32) bool {
	return slices.ContainsFunc(g.IpPermissions, func(p ec2types.IpPermission) bool {
		return covers(p, port) && slices.ContainsFunc(p.IpRanges, func(r ec2types.IpRange) bool {
			return netip.MustParsePrefix(*r.CidrIp).Contains(from)
		})
	})
}

// reaches tells whether the security group of pods and nodes lets a load balancer in to a port.
func reaches(g ec2types.SecurityGroup, lb elbtypes.LoadBalancer, port int32) bool {
	return slices.ContainsFunc(g.IpPermissions, func(p ec2types.IpPermission) bool {
		return covers(p, port) && slices.ContainsFunc(p.UserIdGroupPairs, func(pair ec2types.UserIdGroupPair) bool {
			return slices.Contains(lb.SecurityGroups, *pair.GroupId)
		})
	})
}

func covers(p ec2types.IpPermission, port int32) bool {
	return *p.IpProtocol == "-1" || aws.ToInt32(p.FromPort) <= port && port <= aws.ToInt32(p.ToPort)
}
