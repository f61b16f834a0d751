package elb

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model/attribute"
)

const (
	keepProtocol = "#{protocol}"
	keepHost     = "#{host}"
	keepPort     = "#{port}"
	keepPath     = "/#{path}"
	keepQuery    = "#{query}"
	maxRedirect  = 128
)

// readRedirect checks a redirect and fills what it leaves out with the keywords that keep it.
func readRedirect(l *listener, a elbtypes.Action) (elbtypes.Action, error) {
	c := *a.RedirectConfig
	fill := func(field **string, keep string) {
		if *field == nil || **field == "" && keep != keepQuery {
			*field = aws.String(keep)
		}
	}
	fill(&c.Protocol, keepProtocol)
	fill(&c.Host, keepHost)
	fill(&c.Port, keepPort)
	fill(&c.Path, keepPath)
	fill(&c.Query, keepQuery)
	if c.StatusCode == "" {
		return a, invalid("A redirect status code must be specified")
	}
	if err := checkRedirect(l, c); err != nil {
		return a, err
	}
	a.RedirectConfig = &c
	return a, nil
}

func checkRedirect(l *listener, c elbtypes.RedirectActionConfig) error {
	for name, value := range map[string]string{"host": *c.Host, "path": *c.Path, "query": *c.Query} {
		if len(value) > maxRedirect {
			return invalid("The redirect %s cannot be longer than '%d' characters", name, maxRedirect)
		}
	}
	if p := *c.Protocol; !slices.Contains([]string{keepProtocol, "HTTP", "HTTPS"}, p) {
		return invalid("The redirect protocol '%s' must be one of 'HTTP, HTTPS, #{protocol}'", p)
	}
	if *c.Protocol == "HTTP" && l.Protocol == elbtypes.ProtocolEnumHttps {
		return badAction("You cannot redirect HTTPS to HTTP")
	}
	if port, ok := attribute.Number(*c.Port); *c.Port != keepPort && (!ok || port < 1 || port > maxPort) {
		return invalid("The redirect port '%s' must be between 1 and 65535 or '#{port}'", *c.Port)
	}
	if err := checkKeywords(c); err != nil {
		return err
	}
	return checkPlace(c)
}

// keyword is what stands for a part of the request.
var keyword = regexp.MustCompile(`#\{[^}]*\}`)

// checkKeywords holds which keywords each part can have (SDK, RedirectActionConfig), and which characters beside them.
func checkKeywords(c elbtypes.RedirectActionConfig) error {
	for _, part := range []struct {
		name, value string
		keywords    []string
	}{
		{"host", *c.Host, []string{keepHost}},
		{"path", *c.Path, []string{keepHost, keepPort, "#{path}"}},
		{"query", *c.Query, []string{keepProtocol, keepHost, keepPort, "#{path}", keepQuery}},
	} {
		for _, used := range keyword.FindAllString(part.value, -1) {
			if !slices.Contains(part.keywords, used) {
				return invalid("The redirect %s cannot contain the keyword '%s'", part.name, used)
			}
		}
		rest := keyword.ReplaceAllString(part.value, "")
		if part.name == "host" && !only(rest, letters+digits+"-._") || !printable(rest) || strings.Contains(rest, " ") {
			return invalid("The redirect %s '%s' contains invalid characters", part.name, part.value)
		}
	}
	return nil
}

// checkPlace checks path and query, and refuses a redirect to itself.
func checkPlace(c elbtypes.RedirectActionConfig) error {
	if !strings.HasPrefix(*c.Path, "/") {
		return invalid("The redirect path '%s' must start with '/'", *c.Path)
	}
	if strings.HasPrefix(*c.Query, "?") {
		return invalid("The redirect query '%s' must not start with '?'", *c.Query)
	}
	if *c.Protocol == keepProtocol && *c.Host == keepHost && *c.Port == keepPort && *c.Path == keepPath {
		return badAction("The redirect must change at least one of protocol, host, port and path: it would redirect to itself")
	}
	return nil
}
