package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Defaults of a health check where the target group does not say.
const (
	defaultInterval       = 30
	defaultTimeout        = 5
	defaultHealthyAfter   = 5
	defaultUnhealthyAfter = 2
)

// check is the health check of a target group.
type check struct {
	off      bool
	protocol elbtypes.ProtocolEnum
	// patient makes new targets wait for as many successes as those that were ill.
	patient bool
	// version is the protocol version of probes, agent what they call themselves.
	version, agent string
	// host is what probes ask for; empty is the address of the target.
	host string
	// port is zero for the port that takes traffic.
	port                         uint16
	path                         string
	interval, timeout            time.Duration
	healthyAfter, unhealthyAfter int
	codes                        statusRanges
	// book is where probes are logged; nil for nowhere.
	book *logbook
}

// failure is why a probe did not succeed.
type failure struct {
	reason      elbtypes.TargetHealthReasonEnum
	description string
}

func newCheck(s *Server, g *TargetGroup) check {
	t := &g.Settings
	c := check{
		version: aws.ToString(t.ProtocolVersion), agent: "ELB-HealthChecker/2.0",
		off:            t.HealthCheckEnabled != nil && !*t.HealthCheckEnabled,
		protocol:       t.HealthCheckProtocol,
		path:           aws.ToString(t.HealthCheckPath),
		interval:       s.scaled(secondsOr(t.HealthCheckIntervalSeconds, defaultInterval)),
		timeout:        s.atLeast(secondsOr(t.HealthCheckTimeoutSeconds, defaultTimeout), probeFloor),
		healthyAfter:   int(or(t.HealthyThresholdCount, defaultHealthyAfter)),
		unhealthyAfter: int(or(t.UnhealthyThresholdCount, defaultUnhealthyAfter)),
	}
	c.patient = isNetwork(t.Protocol)
	if g.Lattice != nil {
		c.version, c.agent = g.Lattice.CheckVersion, ""
	}
	grpc := c.version == versionGRPC
	c.codes = parseCodes("200")
	if grpc {
		c.codes = parseCodes("12")
	}
	if m := t.Matcher; m != nil && grpc && aws.ToString(m.GrpcCode) != "" {
		c.codes = parseCodes(*m.GrpcCode)
	} else if m != nil && !grpc && aws.ToString(m.HttpCode) != "" {
		c.codes = parseCodes(*m.HttpCode)
	}
	if c.path == "" && grpc {
		c.path = "/AWS.ALB/healthcheck"
	}
	if !strings.HasPrefix(c.path, "/") {
		c.path = "/" + c.path
	}
	if port, err := strconv.ParseUint(aws.ToString(t.HealthCheckPort), 10, 16); err == nil {
		c.port = uint16(port)
	}
	return c
}

func or(value *int32, fallback int32) int32 {
	if value == nil {
		return fallback
	}
	return *value
}

func secondsOr(value *int32, fallback int32) time.Duration {
	return time.Duration(or(value, fallback)) * time.Second
}

// address is where a target is probed.
func (c *check) address(t *target) netip.AddrPort {
	if c.port == 0 {
		return t.address
	}
	return addressAt(t.address.Addr(), int(c.port)+t.offset)
}

// run probes one address. It gives the status, if there was one.
func (c *check) run(ctx context.Context, s *Server, to netip.AddrPort) (int, error) {
	var code int
	var err error
	switch {
	case c.protocol == elbtypes.ProtocolEnumTcp:
		err = c.connect(ctx, s, to)
	case c.version == versionGRPC:
		code, err = c.grpc(ctx, s, to)
	default:
		code, err = c.http(ctx, s, to)
	}
	return code, err
}

// judge puts a result into the words of the API. It gives nil when the target is well.
func (c *check) judge(code int, err error) *failure {
	switch {
	case err != nil && timedOut(err):
		return &failure{elbtypes.TargetHealthReasonEnumTimeout, "Request timed out"}
	case err != nil:
		return &failure{elbtypes.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"}
	case c.protocol != elbtypes.ProtocolEnumTcp && !c.codes.has(code):
		return &failure{
			elbtypes.TargetHealthReasonEnumResponseCodeMismatch,
			fmt.Sprintf("Health checks failed with these codes: [%d]", code),
		}
	default:
		return nil
	}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func (c *check) connect(ctx context.Context, s *Server, to netip.AddrPort) error {
	conn, err := s.reach(ctx, "tcp", to)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if err := conn.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}

// request builds a probe as load balancers send it: to the address, by the address.
func (c *check) request(ctx context.Context, method string, to netip.AddrPort) *http.Request {
	path, query, _ := strings.Cut(c.path, "?")
	scheme := "http"
	if c.protocol == elbtypes.ProtocolEnumHttps {
		scheme = "https"
	}
	host := c.host
	if host == "" {
		host = to.String()
	}
	r := &http.Request{
		Method: method,
		URL:    targetURL(scheme, to, path, query),
		Host:   host,
		Header: http.Header{"User-Agent": {c.agent}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return r.WithContext(ctx)
}

func (c *check) http(ctx context.Context, s *Server, to netip.AddrPort) (int, error) {
	transport := s.probes
	if c.version == versionHTTP2 {
		transport = s.probes2
	}
	res, err := transport.RoundTrip(c.request(ctx, http.MethodGet, to))
	if err != nil {
		return 0, fmt.Errorf("probing: %w", err)
	}
	if err := res.Body.Close(); err != nil {
		return 0, fmt.Errorf("closing: %w", err)
	}
	return res.StatusCode, nil
}

// maxProbeBody bounds what is read of an answer to a gRPC probe.
const maxProbeBody = 64 << 10

var errNoStatus = errors.New("no gRPC status")

// grpc makes a unary call with an empty message. The status is in the trailers, or in the headers if there is nothing else.
func (c *check) grpc(ctx context.Context, s *Server, to netip.AddrPort) (int, error) {
	r := c.request(ctx, http.MethodPost, to)
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set(headerTE, "trailers")
	const empty = "\x00\x00\x00\x00\x00"
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(empty)), int64(len(empty))
	res, err := s.probes2.RoundTrip(r)
	if err != nil {
		return 0, fmt.Errorf("probing: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxProbeBody))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return 0, fmt.Errorf("reading the answer: %w", err)
	}
	status := res.Trailer.Get("Grpc-Status")
	if status == "" {
		status = res.Header.Get("Grpc-Status")
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return 0, fmt.Errorf("status %q of HTTP %d: %w", status, res.StatusCode, errNoStatus)
	}
	return code, nil
}

// targetURL addresses a target with exactly this path and query on the request line.
func targetURL(scheme string, to netip.AddrPort, path, query string) *url.URL {
	u := &url.URL{Scheme: scheme, Host: to.String(), RawQuery: query}
	if !strings.HasPrefix(path, "//") {
		u.Opaque = path
		return u
	}
	u.Path, u.RawPath = path, path // an opaque part with two slashes would be taken for a host
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path = plain
	}
	return u
}

// statusRanges are ranges of status codes, both ends included.
type statusRanges [][2]int

// parseCodes reads a matcher such as "200,202-299".
func parseCodes(text string) statusRanges {
	var all statusRanges
	for part := range strings.SplitSeq(text, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err == nil && err2 == nil {
			all = append(all, [2]int{from, to})
		}
	}
	return all
}

func (c statusRanges) has(code int) bool {
	for _, r := range c {
		if code >= r[0] && code <= r[1] {
			return true
		}
	}
	return false
}
