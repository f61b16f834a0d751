package elb

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model/attribute"
)

// check holds the defaults of a kind of target group (ELB user guides, "Health checks").
type check struct {
	protocol                              elbtypes.ProtocolEnum
	port, path                            string
	interval, timeout, healthy, unhealthy int32
	http, grpc                            string
}

const (
	trafficPort  = "traffic-port"
	grpcPath     = "/AWS.ALB/healthcheck"
	maxCheckPath = 1024
)

// checkDefaults gives the defaults of a target group whose health check protocol may be given.
func checkDefaults(g *targetGroup) check {
	switch {
	case isLambda(g):
		return check{path: "/", interval: 35, timeout: 30, healthy: 5, unhealthy: 2, http: "200"}
	case isGRPC(g):
		return check{protocol: elbtypes.ProtocolEnumHttp, port: trafficPort, path: grpcPath, interval: 30, timeout: 5, healthy: 5, unhealthy: 2, grpc: "12"}
	case isHTTP(g):
		return check{protocol: elbtypes.ProtocolEnumHttp, port: trafficPort, path: "/", interval: 30, timeout: 5, healthy: 5, unhealthy: 2, http: "200"}
	case g.TargetType == elbtypes.TargetTypeEnumAlb:
		return check{protocol: elbtypes.ProtocolEnumHttp, port: trafficPort, path: "/", interval: 30, timeout: 6, healthy: 5, unhealthy: 2, http: "200-399"}
	}
	d := check{protocol: elbtypes.ProtocolEnumTcp, port: trafficPort, interval: 30, timeout: 10, healthy: 5, unhealthy: 2}
	if g.Protocol == elbtypes.ProtocolEnumGeneve {
		d.port, d.interval, d.timeout = "80", 10, 5
	}
	if checksHTTP(g.HealthCheckProtocol) {
		d.path, d.http = "/", "200-399"
		if g.HealthCheckProtocol == elbtypes.ProtocolEnumHttp {
			d.timeout = 6
		}
	}
	return d
}

func checksHTTP(p elbtypes.ProtocolEnum) bool {
	return p == elbtypes.ProtocolEnumHttp || p == elbtypes.ProtocolEnumHttps
}

// fillHealthCheck fills in defaults and checks the health check of a group.
func fillHealthCheck(g *targetGroup) error {
	d := checkDefaults(g)
	fill(&g.HealthCheckEnabled, !isLambda(g))
	fill(&g.HealthCheckIntervalSeconds, d.interval)
	fill(&g.HealthCheckTimeoutSeconds, d.timeout)
	fill(&g.HealthyThresholdCount, d.healthy)
	fill(&g.UnhealthyThresholdCount, d.unhealthy)
	if d.port != "" {
		fill(&g.HealthCheckPort, d.port)
	}
	if g.HealthCheckProtocol == "" {
		g.HealthCheckProtocol = d.protocol
	}
	if d.path != "" {
		fill(&g.HealthCheckPath, d.path)
	}
	if g.Matcher == nil && d.http+d.grpc != "" {
		g.Matcher = &elbtypes.Matcher{}
		if d.grpc != "" {
			g.Matcher.GrpcCode = aws.String(d.grpc)
		} else {
			g.Matcher.HttpCode = aws.String(d.http)
		}
	}
	return checkHealthCheck(g)
}

func fill[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func checkHealthCheck(g *targetGroup) error {
	for _, r := range []struct {
		name        string
		value       int32
		least, most int32
	}{
		{"healthCheckIntervalSeconds", *g.HealthCheckIntervalSeconds, 5, 300},
		{"healthCheckTimeoutSeconds", *g.HealthCheckTimeoutSeconds, 2, 120},
		{"healthyThresholdCount", *g.HealthyThresholdCount, 2, 10},
		{"unhealthyThresholdCount", *g.UnhealthyThresholdCount, 2, 10},
	} {
		if r.value < r.least || r.value > r.most {
			return invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value between %d and %d",
				r.value, r.name, r.least, r.most)
		}
	}
	if err := checkTimeout(g); err != nil {
		return err
	}
	if !*g.HealthCheckEnabled && !isLambda(g) {
		return invalid("Health check enabled must be true for target groups with target type '%s'", g.TargetType)
	}
	if err := checkProbe(g); err != nil {
		return err
	}
	return checkMatcher(g)
}

func checkTimeout(g *targetGroup) error {
	timeout, interval := *g.HealthCheckTimeoutSeconds, *g.HealthCheckIntervalSeconds
	if (isHTTP(g) || isLambda(g)) && timeout >= interval {
		return invalid("Health check timeout '%d' must be smaller than the interval '%d'", timeout, interval)
	}
	if timeout > interval {
		return invalid("Health check timeout '%d' must be smaller than or equal to the interval '%d'", timeout, interval)
	}
	return nil
}

// checkProbe checks protocol, port and path.
func checkProbe(g *targetGroup) error {
	if isLambda(g) {
		if g.HealthCheckProtocol != "" || g.HealthCheckPort != nil {
			return unfit("Health check protocol and port cannot be specified for target groups with target type 'lambda'")
		}
		return checkProbePath(g)
	}
	p := g.HealthCheckProtocol
	if (isHTTP(g) || g.TargetType == elbtypes.TargetTypeEnumAlb) && !checksHTTP(p) {
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", p)
	}
	if !checksHTTP(p) && p != elbtypes.ProtocolEnumTcp {
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS, TCP'", p)
	}
	port := aws.ToString(g.HealthCheckPort)
	if n, ok := attribute.Number(port); port != trafficPort && (!ok || n < 1 || n > maxPort) {
		return invalid("Health check port '%s' must be '%s' or between 1 and %d", port, trafficPort, maxPort)
	}
	return checkProbePath(g)
}

func checkProbePath(g *targetGroup) error {
	if g.HealthCheckPath == nil {
		return nil
	}
	if p := g.HealthCheckProtocol; !checksHTTP(p) && !isLambda(g) {
		return invalid("Health check path cannot be specified for health checks with protocol '%s'", p)
	}
	if path := *g.HealthCheckPath; !strings.HasPrefix(path, "/") || len(path) > maxCheckPath {
		return invalid("Health check path '%s' must begin with a '/' character and have at most %d characters", path, maxCheckPath)
	}
	return nil
}

// checkMatcher holds the ranges of success codes: 200-499 for application, 200-599 for network load balancers, 0-99 for gRPC.
func checkMatcher(g *targetGroup) error {
	m := g.Matcher
	if m == nil {
		return nil
	}
	if !checksHTTP(g.HealthCheckProtocol) && !isLambda(g) {
		return invalid("A matcher cannot be specified for health checks with protocol '%s'", g.HealthCheckProtocol)
	}
	if isGRPC(g) {
		if m.HttpCode != nil || m.GrpcCode == nil {
			return invalid("A gRPC code must be specified for target groups with protocol version 'GRPC'")
		}
		return checkCodes(*m.GrpcCode, 0, 99)
	}
	if m.GrpcCode != nil || m.HttpCode == nil {
		return invalid("An HTTP code must be specified for target groups with protocol version '%s'", aws.ToString(g.ProtocolVersion))
	}
	if isHTTP(g) || isLambda(g) {
		return checkCodes(*m.HttpCode, 200, 499)
	}
	if g.Protocol == elbtypes.ProtocolEnumGeneve {
		return checkCodes(*m.HttpCode, 200, 399)
	}
	return checkCodes(*m.HttpCode, 200, 599)
}

// checkCodes reads "200", "200,202" and "200-299".
func checkCodes(codes string, least, most int) error {
	for part := range strings.SplitSeq(codes, ",") {
		low, high, ranged := strings.Cut(part, "-")
		if !ranged {
			high = low
		}
		from, ok := attribute.Number(low)
		to, ok2 := attribute.Number(high)
		if !ok || !ok2 || from < least || to > most || from > to {
			return invalid("Health check matcher code '%s' must be within '%d-%d' inclusive", codes, least, most)
		}
	}
	return nil
}
