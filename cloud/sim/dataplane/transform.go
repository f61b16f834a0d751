package dataplane

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

var errTransform = errors.New("transform gives an invalid result")

// transforms are the rewrites of a rule: of the host, and of path and query together.
type transforms struct {
	host, target []rewrite
	// broken says that a rewrite could not be compiled: the requests of the rule are answered 500.
	broken bool
}

// rewrite replaces the first match of an expression.
type rewrite struct {
	expression *regexp.Regexp
	template   string
}

func compileTransforms(all []elbtypes.RuleTransform) (transforms, error) {
	var t transforms
	for _, one := range all {
		var err error
		switch {
		case one.Type == elbtypes.TransformTypeEnumHostHeaderRewrite && one.HostHeaderRewriteConfig != nil:
			t.host, err = compileRewrites(one.HostHeaderRewriteConfig.Rewrites)
		case one.Type == elbtypes.TransformTypeEnumUrlRewrite && one.UrlRewriteConfig != nil:
			t.target, err = compileRewrites(one.UrlRewriteConfig.Rewrites)
		default:
			err = errUnknown
		}
		if err != nil {
			return transforms{broken: true}, fmt.Errorf("transform %q: %w", one.Type, err)
		}
	}
	return t, nil
}

func compileRewrites(configs []elbtypes.RewriteConfig) ([]rewrite, error) {
	all := make([]rewrite, 0, len(configs))
	for _, c := range configs {
		re, err := regexp.Compile(aws.ToString(c.Regex))
		if err != nil {
			return nil, fmt.Errorf("regular expression: %w", err)
		}
		all = append(all, rewrite{expression: re, template: template(aws.ToString(c.Replace))})
	}
	return all, nil
}

// template turns $1 into the form that names the group unmistakably, whatever follows it, and any other dollar sign into itself.
func template(replace string) string {
	var b strings.Builder
	for i := 0; i < len(replace); i++ {
		if replace[i] != '$' {
			b.WriteByte(replace[i])
			continue
		}
		end := i + 1
		for end < len(replace) && replace[end] >= '0' && replace[end] <= '9' {
			end++
		}
		if end == i+1 {
			b.WriteString("$$")
			continue
		}
		b.WriteString("${" + replace[i+1:end] + "}")
		i = end - 1
	}
	return b.String()
}

// apply rewrites the first match. Without a match the input stays.
func apply(rewrites []rewrite, input string) string {
	for _, r := range rewrites {
		at := r.expression.FindStringSubmatchIndex(input)
		if at == nil {
			continue
		}
		out := append([]byte(nil), input[:at[0]]...)
		out = r.expression.ExpandString(out, r.template, input, at)
		input = string(append(out, input[at[1]:]...))
	}
	return input
}

// rewritten is what a request asks for after the transforms of its rule.
type rewritten struct{ host, path, query string }

// transform rewrites a request for which a rule was chosen, before its action forwards or redirects it.
func (x *exchange) transform() (rewritten, error) {
	path, query, err := x.transforms.rewriteTarget(x.path, x.query)
	if err != nil {
		return rewritten{}, err
	}
	host, err := x.transforms.rewriteHost(x.host)
	if err != nil {
		return rewritten{}, err
	}
	if host != x.host {
		x.note.host = host
	}
	if path != x.path || query != x.query {
		x.note.path = path
	}
	return rewritten{host, path, query}, nil
}

// rewriteHost gives the host that the target is asked for.
func (t *transforms) rewriteHost(host string) (string, error) {
	out := apply(t.host, host)
	if out == host {
		return host, nil
	}
	if out == "" || strings.ContainsAny(out, " /?#@\t\r\n") {
		return "", fmt.Errorf("host %q: %w", out, errTransform)
	}
	return out, nil
}

// rewriteTarget gives the path and query that the target is asked for.
func (t *transforms) rewriteTarget(path, query string) (string, string, error) {
	if t.broken {
		return "", "", errTransform
	}
	if len(t.target) == 0 {
		return path, query, nil
	}
	in := path
	if query != "" {
		in += "?" + query
	}
	out := apply(t.target, in)
	if _, err := url.ParseRequestURI(out); err != nil || !strings.HasPrefix(out, "/") {
		return "", "", fmt.Errorf("request target %q: %w", out, errTransform)
	}
	path, query, _ = strings.Cut(out, "?")
	return path, query, nil
}
