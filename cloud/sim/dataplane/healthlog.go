package dataplane

import (
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// healthBooks gives by target group where its probes are logged: the health check log of its application load balancer.
func (s *Server) healthBooks(c Config) map[string]*logbook {
	all := map[string]*logbook{}
	for i := range c.LoadBalancers {
		lb := &c.LoadBalancers[i]
		book := s.logbook(lb, healthLog)
		if book == nil {
			continue
		}
		for _, l := range lb.Listeners {
			for _, r := range l.Rules {
				for _, arn := range forwardedTo(r.Actions) {
					all[arn] = book
				}
			}
		}
	}
	return all
}

// forwardedTo gives the target groups that actions name.
func forwardedTo(actions []elbtypes.Action) []string {
	var all []string
	for _, a := range actions {
		if a.TargetGroupArn != nil {
			all = append(all, *a.TargetGroupArn)
		}
		if a.ForwardConfig == nil {
			continue
		}
		for _, t := range a.ForwardConfig.TargetGroups {
			all = append(all, aws.ToString(t.TargetGroupArn))
		}
	}
	return all
}

// probe is a health check as it went.
type probe struct {
	at   time.Time
	took time.Duration
	to   netip.AddrPort
	code int
	err  error
}

// log writes a probe as a line of the health check log (ALB user guide, "Health check log entries").
func (c *check) log(group string, p probe) {
	if c.book == nil {
		return
	}
	status, reason, code := "PASS", "-", "-"
	if p.err == nil {
		code = strconv.Itoa(p.code)
	}
	if c.judge(p.code, p.err) != nil {
		status, reason = "FAIL", c.reason(p)
	}
	c.book.add(strings.Join([]string{
		c.kind(), stamp(p.at), strconv.FormatFloat(p.took.Seconds(), 'f', 9, 64), p.to.String(), orDash(group), status, code, reason,
		balancerID(c.book.arn), c.book.address.String(),
	}, " ") + "\n")
}

// kind is the type of a probe.
func (c *check) kind() string {
	switch {
	case c.version == versionGRPC:
		return "grpc"
	case c.version == versionHTTP2:
		return "h2"
	case c.protocol == elbtypes.ProtocolEnumHttps:
		return "https"
	default:
		return "http"
	}
}

// reason is the word of the log for a probe that failed. One that is refused counts as reset: there is no other word for it.
func (c *check) reason(p probe) string {
	switch {
	case errors.Is(p.err, errNoStatus):
		return "GRPCStatusHeaderEmpty"
	case p.err != nil && timedOut(p.err):
		return "TimedOut"
	case p.err != nil:
		return "ConnectionReset"
	case c.version == versionGRPC:
		return "GRPCUnexpectedStatus"
	case p.code >= http.StatusInternalServerError:
		return "TargetError"
	default:
		return "ResponseCodeMismatch"
	}
}
