package elb

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	hostHeader    = "host-header"
	pathPattern   = "path-pattern"
	httpHeader    = "http-header"
	requestMethod = "http-request-method"
	queryString   = "query-string"
	sourceIP      = "source-ip"
)

const (
	maxValue      = 128
	maxHeaderName = 40
	maxMethod     = 40
	letters       = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits        = "0123456789"
)

// readConditions checks conditions and gives them as AWS returns them.
func readConditions(lb *loadBalancer, conditions []elbtypes.RuleCondition) ([]elbtypes.RuleCondition, error) {
	if len(conditions) == 0 {
		return nil, invalid("A condition must be specified")
	}
	all := make([]elbtypes.RuleCondition, 0, len(conditions))
	seen := map[string]bool{}
	values, wildcards := 0, 0
	for _, c := range conditions {
		read, err := readCondition(lb, c)
		if err != nil {
			return nil, err
		}
		field := *read.Field
		if seen[field] && field != httpHeader && field != queryString {
			return nil, invalid("A rule can only have one '%s' condition", field)
		}
		seen[field] = true
		some, wild := count(read)
		values, wildcards = values+some, wildcards+wild
		all = append(all, read)
	}
	if values > valuesPerRule {
		return nil, invalid("A rule can only have '%d' condition values", valuesPerRule)
	}
	if wildcards > wildcardsPerRule {
		return nil, invalid("A rule can only have '%d' condition wildcards", wildcardsPerRule)
	}
	return all, nil
}

// plainValues gives the values and the regular expressions of a condition that was read.
func plainValues(c elbtypes.RuleCondition) (plain, regex []string) {
	switch {
	case c.HostHeaderConfig != nil:
		return c.HostHeaderConfig.Values, c.HostHeaderConfig.RegexValues
	case c.PathPatternConfig != nil:
		return c.PathPatternConfig.Values, c.PathPatternConfig.RegexValues
	case c.HttpHeaderConfig != nil:
		return c.HttpHeaderConfig.Values, c.HttpHeaderConfig.RegexValues
	case c.HttpRequestMethodConfig != nil:
		return c.HttpRequestMethodConfig.Values, nil
	case c.SourceIpConfig != nil:
		return c.SourceIpConfig.Values, nil
	default:
		return nil, nil
	}
}

// count gives the values and the wildcards of a condition, as the quotas count them.
func count(c elbtypes.RuleCondition) (values, wildcards int) {
	if c.QueryStringConfig != nil {
		for _, pair := range c.QueryStringConfig.Values {
			wildcards += unescaped(aws.ToString(pair.Key)) + unescaped(aws.ToString(pair.Value))
		}
		return len(c.QueryStringConfig.Values), wildcards
	}
	plain, regex := plainValues(c)
	for _, v := range plain {
		wildcards += strings.Count(v, "*") + strings.Count(v, "?")
	}
	return len(plain) + len(regex), wildcards
}

// unescaped counts the wildcards of a query string value that no backslash takes away.
func unescaped(value string) int {
	n := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '*', '?':
			n++
		}
	}
	return n
}

func readCondition(lb *loadBalancer, c elbtypes.RuleCondition) (elbtypes.RuleCondition, error) {
	field := aws.ToString(c.Field)
	fields := []string{pathPattern, hostHeader, httpHeader, requestMethod, queryString, sourceIP}
	if !slices.Contains(fields, field) {
		return c, invalid("Condition field '%s' must be one of '[%s]'", field, strings.Join(fields, ","))
	}
	if isNetwork(lb) {
		return readNetworkCondition(c, field)
	}
	if err := checkConditionConfigs(c, field); err != nil {
		return c, err
	}
	switch field {
	case hostHeader:
		values, regex := merge(c, c.HostHeaderConfig)
		c.HostHeaderConfig = &elbtypes.HostHeaderConditionConfig{Values: values, RegexValues: regex}
		c.Values, c.RegexValues = values, regex
		return c, checkTexts(field, values, regex, checkHost)
	case pathPattern:
		values, regex := merge(c, (*elbtypes.HostHeaderConditionConfig)(c.PathPatternConfig))
		c.PathPatternConfig = &elbtypes.PathPatternConditionConfig{Values: values, RegexValues: regex}
		c.Values, c.RegexValues = values, regex
		return c, checkTexts(field, values, regex, checkPath)
	case httpHeader:
		config := *c.HttpHeaderConfig
		if len(c.RegexValues) > 0 {
			config.RegexValues = c.RegexValues
		}
		c.HttpHeaderConfig = &config
		return c, checkHTTPHeader(c.HttpHeaderConfig)
	case requestMethod:
		return c, checkTexts(field, c.HttpRequestMethodConfig.Values, nil, checkMethod)
	case queryString:
		return c, checkQuery(c.QueryStringConfig)
	default:
		return c, checkSources(c.SourceIpConfig)
	}
}

// merge takes values from the one of the two places that has them.
func merge(c elbtypes.RuleCondition, config *elbtypes.HostHeaderConditionConfig) (values, regex []string) {
	if config != nil {
		return config.Values, config.RegexValues
	}
	return c.Values, c.RegexValues
}

// checkConditionConfigs demands the configuration of the condition's own field and no other.
func checkConditionConfigs(c elbtypes.RuleCondition, field string) error {
	names := map[string]string{
		hostHeader: "HostHeaderConfig", pathPattern: "PathPatternConfig", httpHeader: "HttpHeaderConfig",
		requestMethod: "HttpRequestMethodConfig", queryString: "QueryStringConfig", sourceIP: "SourceIpConfig",
	}
	present := map[string]bool{
		hostHeader: c.HostHeaderConfig != nil, pathPattern: c.PathPatternConfig != nil, httpHeader: c.HttpHeaderConfig != nil,
		requestMethod: c.HttpRequestMethodConfig != nil, queryString: c.QueryStringConfig != nil, sourceIP: c.SourceIpConfig != nil,
	}
	for other, has := range present {
		if has && other != field {
			return invalid("The '%s' field is not compatible with condition field '%s'", names[other], field)
		}
	}
	if regexOutside(c, field) {
		return nil
	}
	top := len(c.Values)+len(c.RegexValues) > 0
	legacy := field == hostHeader || field == pathPattern
	switch {
	case top && !legacy:
		return invalid("The 'Values' field is not compatible with '%s'", field)
	case top && present[field]:
		return invalid("You cannot provide both Values and '%s' for a condition of type '%s'", names[field], field)
	case !top && !present[field]:
		return invalid("A condition value must be specified")
	}
	return nil
}

// regexOutside reports whether a condition has the one part that may stand outside of its configuration: a header's regular expressions.
func regexOutside(c elbtypes.RuleCondition, field string) bool {
	return field == httpHeader && c.HttpHeaderConfig != nil && len(c.Values) == 0 && len(c.RegexValues) > 0 && len(c.HttpHeaderConfig.RegexValues) == 0
}

// checkTexts checks a list of values and regular expressions, of which only one kind may be there.
func checkTexts(field string, values, regex []string, check func(string) error) error {
	if len(values)+len(regex) == 0 {
		return invalid("A condition value must be specified")
	}
	if len(values) > 0 && len(regex) > 0 {
		return invalid("You cannot provide both Values and RegexValues for a condition of type '%s'", field)
	}
	for _, v := range slices.Concat(values, regex) {
		if v == "" {
			return invalid("A condition value must be specified")
		}
		if len(v) > maxValue {
			return invalid("The '%s' value is too long; the limit is '%d'", field, maxValue)
		}
	}
	for _, v := range values {
		if err := check(v); err != nil {
			return err
		}
	}
	for _, v := range regex {
		if err := checkRegex(v); err != nil {
			return err
		}
	}
	return nil
}

// checkRegex refuses what AWS does not support: look-around, back references, possessive quantifiers, Unicode classes.
func checkRegex(text string) error {
	if strings.Contains(text, `\p{`) || strings.Contains(text, `\P{`) {
		return invalid("The regular expression '%s' is not supported", text)
	}
	if _, err := regexp.Compile(text); err != nil {
		return invalid("The regular expression '%s' is not valid", text)
	}
	return nil
}

func checkHost(v string) error {
	if !only(v, letters+digits+"-.*?") {
		return invalid("The host-header value '%s' contains invalid characters", v)
	}
	dot := strings.LastIndexByte(v, '.')
	if dot < 0 {
		return invalid("The host-header value '%s' must contain at least one '.'", v)
	}
	if strings.Trim(v[dot+1:], letters) != "" || v[dot+1:] == "" {
		return invalid("The host-header value '%s' can only have letters after the last '.'", v)
	}
	return nil
}

func checkPath(v string) error {
	if only(v, letters+digits+"_-.$/~\"'@:+&*?") {
		return nil
	}
	return invalid("The path-pattern value '%s' contains invalid characters", v)
}

func checkMethod(v string) error {
	if len(v) > maxMethod || !only(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") {
		return invalid("The HTTP request method '%s' is not valid: A-Z, '-' and '_', at most %d characters", v, maxMethod)
	}
	return nil
}

// only reports whether a text has no other characters than the allowed ones.
func only(text, allowed string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
}

// printable reports whether a text is visible ASCII or space, which is all that rules see.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func checkHTTPHeader(c *elbtypes.HttpHeaderConditionConfig) error {
	name := aws.ToString(c.HttpHeaderName)
	if name == "" || len(name) > maxHeaderName || !only(name, letters+digits+"!#$%&'*+-.^_`|~") || strings.Contains(name, "*") {
		return invalid("The HTTP header name '%s' is not valid: a token of at most %d characters", name, maxHeaderName)
	}
	if strings.EqualFold(name, "host") {
		return invalid("The HTTP header name 'Host' cannot be used: use a host-header condition")
	}
	return checkTexts(httpHeader, c.Values, c.RegexValues, checkPrintable)
}

func checkPrintable(v string) error {
	if !printable(v) {
		return invalid("The condition value '%s' contains invalid characters", v)
	}
	return nil
}

func checkQuery(c *elbtypes.QueryStringConditionConfig) error {
	if len(c.Values) == 0 {
		return invalid("A condition value must be specified")
	}
	for _, pair := range c.Values {
		key, value := aws.ToString(pair.Key), aws.ToString(pair.Value)
		if value == "" {
			return invalid("A condition value must be specified")
		}
		if len(key) > maxValue || len(value) > maxValue {
			return invalid("The '%s' value is too long; the limit is '%d'", queryString, maxValue)
		}
		if !printable(key + value) {
			return invalid("The query-string value '%s' contains invalid characters", value)
		}
	}
	return nil
}

func checkSources(c *elbtypes.SourceIpConditionConfig) error {
	if c.IpAddressType != "" {
		return invalid("The IP address type of a source-ip condition is supported only for network load balancers")
	}
	if len(c.Values) == 0 {
		return invalid("A condition value must be specified")
	}
	for _, v := range c.Values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			return invalid("The source-ip value '%s' must be in CIDR format", v)
		}
		if p.String() == "255.255.255.255/32" {
			return invalid("The source-ip value '%s' is not allowed", v)
		}
	}
	return nil
}

// readNetworkCondition checks the one condition that a network load balancer knows.
func readNetworkCondition(c elbtypes.RuleCondition, field string) (elbtypes.RuleCondition, error) {
	if field != sourceIP || c.SourceIpConfig == nil || c.SourceIpConfig.IpAddressType == "" || len(c.SourceIpConfig.Values) > 0 {
		return c, invalid("Rules of network load balancers can only have a source-ip condition with an IP address type")
	}
	return c, nil
}
