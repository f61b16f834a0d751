package dataplane

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// compileCondition prepares one condition of a rule.
func compileCondition(c elbtypes.RuleCondition) (matcher, error) {
	switch field := aws.ToString(c.Field); field {
	case "host-header":
		text, err := compileConditionText(c, foldCase)
		return &hostMatcher{text}, err
	case "path-pattern":
		text, err := compileConditionText(c, keepCase)
		return &pathMatcher{text}, err
	case "http-header":
		return compileHeader(c)
	case "http-request-method":
		if c.HttpRequestMethodConfig == nil || len(c.HttpRequestMethodConfig.Values) == 0 {
			return nil, fmt.Errorf("condition %s: %w", field, errNoValue)
		}
		return methodMatcher(c.HttpRequestMethodConfig.Values), nil
	case "query-string":
		return compileQuery(c)
	case "source-ip":
		return compileSource(c)
	default:
		return nil, fmt.Errorf("condition field %q: %w", field, errUnknown)
	}
}

func compileConditionText(c elbtypes.RuleCondition, letters letterCase) (text, error) {
	values, regex := conditionValues(c)
	t, err := compileText(values, regex, letters)
	if err != nil {
		return text{}, fmt.Errorf("condition %s: %w", aws.ToString(c.Field), err)
	}
	return t, nil
}

// hostMatcher compares the Host header, port included.
type hostMatcher struct{ text text }

func (m *hostMatcher) match(v *view) bool { return m.text.matches(v.host) }

// pathMatcher compares the path, case and encoding as received.
type pathMatcher struct{ text text }

func (m *pathMatcher) match(v *view) bool { return m.text.matches(v.path) }

// headerMatcher tests each field of one name in order.
type headerMatcher struct {
	name string
	text text
}

func (m *headerMatcher) match(v *view) bool {
	for _, value := range v.header[m.name] {
		if m.text.matches(strings.ToLower(value)) {
			return true
		}
	}
	return false
}

func compileHeader(c elbtypes.RuleCondition) (matcher, error) {
	if c.HttpHeaderConfig == nil || aws.ToString(c.HttpHeaderConfig.HttpHeaderName) == "" {
		return nil, fmt.Errorf("condition http-header without a name: %w", errNoValue)
	}
	t, err := compileConditionText(c, foldCase)
	if err != nil {
		return nil, err
	}
	return &headerMatcher{name: http.CanonicalHeaderKey(aws.ToString(c.HttpHeaderConfig.HttpHeaderName)), text: t}, nil
}

// methodMatcher compares the method exactly.
type methodMatcher []string

func (m methodMatcher) match(v *view) bool { return slices.Contains(m, v.method) }

// sourceMatcher compares the address of the TCP peer, never X-Forwarded-For.
type sourceMatcher []netip.Prefix

func (m sourceMatcher) match(v *view) bool {
	for _, p := range m {
		if p.Contains(v.source) {
			return true
		}
	}
	return false
}

func compileSource(c elbtypes.RuleCondition) (matcher, error) {
	if c.SourceIpConfig == nil || len(c.SourceIpConfig.Values) == 0 {
		return nil, fmt.Errorf("condition source-ip: %w", errNoValue)
	}
	m := make(sourceMatcher, 0, len(c.SourceIpConfig.Values))
	for _, value := range c.SourceIpConfig.Values {
		p, err := netip.ParsePrefix(value)
		if err != nil {
			return nil, fmt.Errorf("condition source-ip: %w", err)
		}
		m = append(m, p)
	}
	return m, nil
}

// queryMatcher tests each element of the query string against pairs of key and value.
type queryMatcher []queryPair

// queryPair is one value of a query-string condition. Without a key any key will do.
type queryPair struct {
	keyed      bool
	key, value pattern
}

func (m queryMatcher) match(v *view) bool {
	for rest, more := v.query, v.query != ""; more; {
		var element string
		element, rest, more = strings.Cut(rest, "&")
		key, value, paired := strings.Cut(element, "=")
		for i := range m {
			if m[i].matches(key, value, paired) {
				return true
			}
		}
	}
	return false
}

// matches tests one element. An element without an equals sign is a value to a condition without key, and a key with an empty value
// to one with a key.
func (p *queryPair) matches(key, value string, paired bool) bool {
	if p.keyed {
		return p.key.matches(key) && p.value.matches(value)
	}
	if !paired {
		return p.value.matches(key)
	}
	return p.value.matches(value)
}

func compileQuery(c elbtypes.RuleCondition) (matcher, error) {
	if c.QueryStringConfig == nil || len(c.QueryStringConfig.Values) == 0 {
		return nil, fmt.Errorf("condition query-string: %w", errNoValue)
	}
	m := make(queryMatcher, 0, len(c.QueryStringConfig.Values))
	for _, pair := range c.QueryStringConfig.Values {
		p := queryPair{value: compileEscaped(aws.ToString(pair.Value))}
		if key := aws.ToString(pair.Key); key != "" {
			p.keyed, p.key = true, compileEscaped(key)
		}
		m = append(m, p)
	}
	return m, nil
}
