package dataplane

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// redirect answers with a Location that is made of parts of the request.
type redirect struct {
	status                            int
	protocol, host, port, path, query string
}

// newRedirect fills what the configuration leaves out with the keyword that keeps the part of the request.
func newRedirect(c *elbtypes.RedirectActionConfig) action {
	r := redirect{
		status:   http.StatusFound,
		protocol: part(c.Protocol, "#{protocol}"),
		host:     part(c.Host, "#{host}"),
		port:     part(c.Port, "#{port}"),
		path:     part(c.Path, "/#{path}"),
		query:    "#{query}",
	}
	if c.StatusCode == elbtypes.RedirectActionStatusCodeEnumHttp301 {
		r.status = http.StatusMovedPermanently
	}
	if c.Query != nil {
		r.query = *c.Query
	}
	return r
}

func part(value *string, keyword string) string {
	if v := aws.ToString(value); v != "" {
		return v
	}
	return keyword
}

func (a redirect) serve(x *exchange) {
	x.did("redirect")
	to, err := x.transform()
	if err != nil {
		x.server.log.InfoContext(x.request.Context(), "transform failed", "listener", x.front.arn, "error", err)
		x.refuse(http.StatusInternalServerError)
		return
	}
	x.note.redirect = a.location(x, to)
	x.writer.Header().Set("Location", x.note.redirect)
	title := strconv.Itoa(a.status) + " " + reason(a.status)
	x.generate(a.status, "text/html", page(title))
}

// location expands the keywords, by what transforms left of the request. The port is always there, also where a browser would leave it out.
func (a redirect) location(x *exchange, to rewritten) string {
	protocol := x.front.scheme()
	words := strings.NewReplacer(
		"#{protocol}", protocol,
		"#{host}", withoutPort(to.host),
		"#{port}", strconv.Itoa(x.front.port),
		"#{path}", strings.TrimPrefix(to.path, "/"),
		"#{query}", to.query,
	)
	location := strings.ToLower(words.Replace(a.protocol)) + "://" + words.Replace(a.host) + ":" + words.Replace(a.port) + words.Replace(a.path)
	if query := words.Replace(a.query); query != "" {
		location += "?" + query
	}
	return location
}

// withoutPort cuts the port off a host, which may be an IPv6 address in brackets.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	return host[:colon]
}
