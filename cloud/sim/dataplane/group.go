package dataplane

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// group is a target group at work. It outlives updates, so that health and connections are kept.
type group struct {
	arn string
	// name is that of the group in logs.
	name     string
	server   *Server
	settings atomic.Pointer[groupSettings]
	// pools are the targets that take requests now.
	pools     atomic.Pointer[pools]
	turn      atomic.Int64
	transport *http.Transport
	// ramped is when the last target is through its slow start, in nanoseconds since 1970.
	ramped atomic.Int64
	watch  watch

	mu sync.Mutex // guards what follows, and the health of the targets
	// order is that of the configuration.
	order   []*target
	targets map[targetKey]*target
}

// groupSettings is what requests and probes need to know of a target group. It is immutable.
type groupSettings struct {
	scheme    string
	version   string
	algorithm string
	stick     stickTo
	// floor is how many targets must be healthy to be alone, dnsFloor how many for a zone to be in DNS.
	floor, dnsFloor healthFloor
	check           check
	inUse           bool
	// zonal keeps requests in the zone in which they came in.
	zonal bool
	// slowStart is how long a new target takes to get its full share.
	slowStart time.Duration
	// mitigate takes requests from targets that fail more than others.
	mitigate bool
	// closed gives requests to no target that is not well.
	closed bool
	flows  flowSettings
}

// healthFloor is how many targets must be healthy for the others to be left out.
type healthFloor struct{ count, percentage int }

// met reports whether enough of all targets are healthy.
func (f healthFloor) met(healthy, all int) bool {
	return healthy >= f.count && healthy*100 >= f.percentage*all
}

// targetKey tells the targets of a group apart.
type targetKey struct {
	id   string
	port int
}

func (k targetKey) String() string { return k.id + " " + strconv.Itoa(k.port) }

// target is a registered target at work.
type target struct {
	health

	key     targetKey
	address netip.AddrPort
	// offset is what a port of the target is bound with.
	offset      int
	outstanding atomic.Int64
	calls       calls
	// ramp is when slow start began, in nanoseconds since 1970; zero means not.
	ramp  atomic.Int64
	tally tally
}

func (s *Server) newGroup(arn string, t *TargetGroup) *group {
	g := &group{arn: arn, name: aws.ToString(t.Settings.TargetGroupName), server: s, targets: map[targetKey]*target{}}
	g.pools.Store(&pools{})
	g.transport = s.newTransport(aws.ToString(t.Settings.ProtocolVersion))
	return g
}

func (s *Server) newSettings(t *TargetGroup) *groupSettings {
	a := attributes(t.Attributes)
	scheme := "http"
	if t.Settings.Protocol == elbtypes.ProtocolEnumHttps {
		scheme = "https"
	}
	version := aws.ToString(t.Settings.ProtocolVersion)
	if version == "" {
		version = versionHTTP1
	}
	const routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
	const failover = "target_group_health.dns_failover.minimum_healthy_targets."
	algorithm := a.text("load_balancing.algorithm.type", roundRobin)
	return &groupSettings{
		scheme:    scheme,
		version:   version,
		algorithm: algorithm,
		stick:     newStickTo(s, a),
		floor:     healthFloor{max(1, a.number(routing+"count", 1)), a.number(routing+"percentage", 0)},
		dnsFloor:  healthFloor{a.number(failover+"count", 0), a.number(failover+"percentage", 0)},
		check:     newCheck(s, t),
		inUse:     t.InUse,
		closed:    t.Lattice != nil,
		zonal:     a["load_balancing.cross_zone.enabled"] == "false",
		slowStart: s.scaled(a.seconds("slow_start.duration_seconds", 0)),
		flows:     s.newFlowSettings(t),
		mitigate:  algorithm == weightedRandom && a["load_balancing.algorithm.anomaly_mitigation"] == "on",
	}
}

// Protocol versions of target groups.
const (
	versionHTTP1 = "HTTP1"
	versionHTTP2 = "HTTP2"
	versionGRPC  = "GRPC"
)

// speaks reports whether the group's protocol version takes the request.
func (s *groupSettings) speaks(r *http.Request) bool {
	second := r.ProtoMajor == 2
	grpc := second && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
	switch s.version {
	case versionHTTP2:
		return second
	case versionGRPC:
		return grpc || second && r.Method == http.MethodPost
	default:
		return !grpc
	}
}

// surroundings is what the load balancer adds to the health check of a target group.
type surroundings struct {
	// host is what probes over HTTP ask for; empty is the address of the target.
	host string
	// book is where they are logged; nil for nowhere.
	book *logbook
}

// apply takes over a configuration. Targets that stay keep their health.
func (g *group) apply(t *TargetGroup, around surroundings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	settings := g.server.newSettings(t)
	settings.check.host, settings.check.book = around.host, around.book
	g.settings.Store(settings)
	old := g.targets
	g.targets = make(map[targetKey]*target, len(t.Targets))
	g.order = g.order[:0:0]
	for i := range t.Targets {
		key := targetKey{t.Targets[i].ID, t.Targets[i].Port}
		if g.targets[key] != nil {
			continue
		}
		kept := old[key]
		delete(old, key)
		if kept == nil {
			kept = g.server.newTarget(key, &t.Targets[i])
		}
		g.targets[key] = kept
		g.order = append(g.order, kept)
		g.follow(kept, &t.Targets[i], settings)
	}
	for _, gone := range old {
		gone.stop(g)
	}
	g.refresh(settings)
}

func (s *Server) newTarget(key targetKey, t *Target) *target {
	n := &target{key: key}
	if t.Balancer {
		n.offset = s.portOffset
	}
	address := t.Address
	if !address.IsValid() {
		var err error
		if address, err = netip.ParseAddr(t.ID); err != nil {
			return n // without an address the target cannot be reached
		}
	}
	if t.Port > 0 {
		n.address = addressAt(address, t.Port+n.offset)
	}
	return n
}

// addressAt gives the address with the port, or none if there is no such port.
func addressAt(address netip.Addr, port int) netip.AddrPort {
	if port < 1 || port > math.MaxUint16 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address, uint16(port))
}

// retire takes the group out of service.
func (g *group) retire() {
	g.mu.Lock()
	for _, t := range g.order {
		t.stop(g)
		if !g.settings.Load().flows.outlive {
			t.calls.cut(errDeregistered) // AWS does not say what becomes of them: this is the worst
		}
	}
	g.order, g.targets = nil, map[targetKey]*target{}
	g.mu.Unlock()
	g.transport.CloseIdleConnections()
}

// describe gives the health of all targets.
func (g *group) describe() []TargetHealth {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]TargetHealth, 0, len(g.order))
	for _, t := range g.order {
		all = append(all, TargetHealth{
			Target: t.config, State: t.state, Reason: t.reason, Description: t.description, Anomaly: t.tally.describe(g.settings.Load()),
		})
	}
	return all
}
