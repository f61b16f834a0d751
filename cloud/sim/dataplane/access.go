package dataplane

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// note is what is remembered of a request for the access log.
type note struct {
	began, sent, answered time.Time
	// priority of the rule that was chosen; 0 is the default rule, -1 none.
	priority int
	actions  []string
	// why a gate did not let the request through, in the words of the log.
	why     string
	verdict verdict

	status, targetStatus int
	bytes                int64
	target, group        string
	redirect             string
	// host and path are what a transform made of them.
	host, path string
}

// did remembers an action.
func (x *exchange) did(action string) { x.note.actions = append(x.note.actions, action) }

// entry writes a request as a line of the access log (ALB user guide, "Access log entries").
func (x *exchange) entry(end time.Time) string {
	n, r := &x.note, x.request
	cipher, version := "-", "-"
	if r.TLS != nil {
		cipher, version = cipherName(tls.CipherSuiteName(r.TLS.CipherSuite)), tlsName(r.TLS.Version)
	}
	certificate := ""
	if x.connection != nil {
		certificate = x.connection.certificate
	}
	host := withoutPort(x.host)
	target := x.front.scheme() + "://" + host + ":" + strconv.Itoa(x.front.port) + r.RequestURI
	line := r.Method + " " + target + " " + r.Proto
	if n.verdict.status != 0 {
		line = "- " + x.front.scheme() + "://-:" + strconv.Itoa(x.front.port) + "- -"
	}
	before, during, after := n.times(end)
	fields := []string{
		x.kind(), stamp(end), balancerID(x.front.balancer), x.peer.String(), orDash(n.target), before, during, after,
		strconv.Itoa(n.status), numberOrDash(n.targetStatus), strconv.FormatInt(received(r), 10), strconv.FormatInt(n.bytes, 10),
		quoted(line), quoted(r.UserAgent()), cipher, version, orDash(n.group), quoted(r.Header.Get(headerTrace)), quoted(x.serverName()),
		quoted(certificate), n.rule(), stamp(n.began), quoted(strings.Join(n.actions, ",")), quoted(n.redirect), quoted(n.why),
		quoted(n.target), quoted(numberOrDash(n.targetStatus)), quoted(n.class()), quoted(n.verdict.reason), x.connectionTrace(),
		quoted(n.host), quoted(n.path), quoted(n.transformed()),
	}
	return strings.Join(fields, " ") + "\n"
}

// times gives how long it took until the target was asked, until it answered, and from there on; -1 for what did not happen.
func (n *note) times(end time.Time) (string, string, string) {
	seconds := func(from, to time.Time) string {
		if from.IsZero() || to.IsZero() {
			return "-1"
		}
		return strconv.FormatFloat(to.Sub(from).Seconds(), 'f', 3, 64)
	}
	if n.answered.IsZero() {
		return seconds(n.began, n.sent), "-1", "-1"
	}
	return seconds(n.began, n.sent), seconds(n.sent, n.answered), seconds(n.answered, end)
}

func (n *note) rule() string {
	if n.priority < 0 {
		return "-"
	}
	return strconv.Itoa(n.priority)
}

// class is the classification as far as it is written: nothing is said of compliant requests.
func (n *note) class() string {
	if n.verdict.tier == compliant {
		return ""
	}
	return n.verdict.tier.String()
}

func (n *note) transformed() string {
	if n.host+n.path == "" {
		return ""
	}
	return "TransformSuccess"
}

// kind is the type of request.
func (x *exchange) kind() string {
	switch {
	case webSocket(x.request) && x.front.secure:
		return "wss"
	case webSocket(x.request):
		return "ws"
	case x.request.ProtoMajor == 2 && strings.HasPrefix(x.request.Header.Get("Content-Type"), "application/grpc"):
		return "grpcs"
	case x.request.ProtoMajor == 2:
		return "h2"
	default:
		return x.front.scheme()
	}
}

// serverName is the name that the client gave in the handshake.
func (x *exchange) serverName() string {
	if x.request.TLS == nil {
		return ""
	}
	return x.request.TLS.ServerName
}

func (x *exchange) connectionTrace() string {
	if x.connection == nil {
		return "-"
	}
	return "TID_" + x.connection.trace
}

// received is the size of a request, as far as it can be told from its parts.
func received(r *http.Request) int64 {
	n := int64(len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n\r\n"))
	for name, values := range r.Header {
		for _, value := range values {
			n += int64(len(name) + len(value) + len(": \r\n"))
		}
	}
	return n + max(0, r.ContentLength)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// balancerID is the end of an ARN, as in app/name/id.
func balancerID(arn string) string {
	_, id, ok := strings.Cut(arn, ":loadbalancer/")
	if !ok {
		return arn
	}
	return id
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func numberOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// quoted puts text in quotes; quotes and what cannot be printed in it are escaped.
func quoted(text string) string { return strconv.QuoteToASCII(orDash(text)) }
