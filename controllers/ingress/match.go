package ingress

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// maxHost is AWS's limit of a host condition.
const maxHost = 128

// numbered is a path with its place in its rule.
type numbered struct {
	networkingv1.HTTPIngressPath
	index int
}

// ordered are the paths of a rule in order of precedence: exact ones, then prefixes from the longest, then the rest as written.
func ordered(paths []networkingv1.HTTPIngressPath) []numbered {
	out := make([]numbered, 0, len(paths))
	for i, p := range paths {
		out = append(out, numbered{p, i})
	}
	rank := map[networkingv1.PathType]int{networkingv1.PathTypeExact: 0, networkingv1.PathTypePrefix: 1}
	slices.SortStableFunc(out, func(a, b numbered) int {
		ra, rb := 2, 2
		if r, ok := rank[typeOf(a.HTTPIngressPath)]; ok {
			ra = r
		}
		if r, ok := rank[typeOf(b.HTTPIngressPath)]; ok {
			rb = r
		}
		if ra == 1 && rb == 1 {
			return len(b.Path) - len(a.Path)
		}
		return ra - rb
	})
	return out
}

func typeOf(p networkingv1.HTTPIngressPath) networkingv1.PathType {
	if p.PathType == nil {
		return networkingv1.PathTypeImplementationSpecific
	}
	return *p.PathType
}

// checkHost tells what is wrong with the host of a rule.
func checkHost(host string) error {
	if len(host) > maxHost {
		return fmt.Errorf("host is longer than the %d characters that AWS matches", maxHost)
	}
	problems := validation.IsDNS1123Subdomain(host)
	if strings.HasPrefix(host, "*.") {
		problems = validation.IsWildcardDNS1123Subdomain(host)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%q is no host name: write a DNS name, or *. before one", host)
	}
	return nil
}

// pathOf is what a path of an Ingress matches; nothing where it matches any.
func (d *draft) pathOf(p networkingv1.HTTPIngressPath) ([]intent.Path, error) {
	kind := typeOf(p)
	switch {
	case p.Path == "" && kind == networkingv1.PathTypeImplementationSpecific:
		return nil, nil
	case !strings.HasPrefix(p.Path, "/"):
		return nil, fmt.Errorf("path %q does not begin with /", p.Path)
	}
	switch kind {
	case networkingv1.PathTypeExact, networkingv1.PathTypePrefix:
		return plainPath(kind, p.Path)
	case networkingv1.PathTypeImplementationSpecific:
		if regex, _ := d.read.Bool(annotations.UseRegexPathMatch); regex {
			return regexPath(p.Path)
		}
		return []intent.Path{{Kind: intent.PathPattern, Value: p.Path}}, nil
	}
	return nil, fmt.Errorf("pathType %q is not known: write Exact, Prefix or ImplementationSpecific", kind)
}

func regexPath(path string) ([]intent.Path, error) {
	if path == "/" {
		return nil, errors.New("path is / only, which leaves no regular expression: write one after the /, such as /^/api/.*$")
	}
	return []intent.Path{{Kind: intent.PathRegex, Value: strings.TrimPrefix(path, "/")}}, nil
}

func plainPath(kind networkingv1.PathType, path string) ([]intent.Path, error) {
	if strings.ContainsAny(path, "*?") {
		return nil, fmt.Errorf("path %q of pathType %s holds * or ?: write pathType ImplementationSpecific for a pattern", path, kind)
	}
	if kind == networkingv1.PathTypeExact {
		return []intent.Path{{Kind: intent.PathExact, Value: path}}, nil
	}
	if trimmed := strings.TrimSuffix(path, "/"); trimmed != "" {
		path = trimmed
	}
	return []intent.Path{{Kind: intent.PathPrefix, Value: path}}, nil
}

// matchOf is the match of one path of a rule, with the conditions of its backend's name.
func (d *draft) matchOf(host string, p networkingv1.HTTPIngressPath) (intent.Match, error) {
	var m intent.Match
	var problem error
	if host != "" {
		m.Hosts = []string{strings.ToLower(host)}
		problem = checkHost(strings.ToLower(host))
	}
	paths, err := d.pathOf(p)
	m.Paths = paths
	if b := p.Backend.Service; b != nil {
		d.condition(&m, b.Name)
	}
	return m, errors.Join(problem, err)
}

// condition adds the conditions of a backend's name: values for host and path join the rule's own.
func (d *draft) condition(m *intent.Match, name string) {
	key := annotations.Conditions + "." + name
	d.used[key] = true
	list, _ := annotations.Decode[annotations.ConditionList](d.read, key)
	for _, c := range list {
		switch c.Field {
		case model.FieldHost:
			m.HostPatterns = append(m.HostPatterns, c.Host.Values...)
			m.HostRegexes = append(m.HostRegexes, c.Host.RegexValues...)
		case model.FieldPath:
			for _, v := range c.Path.Values {
				m.Paths = append(m.Paths, intent.Path{Kind: intent.PathPattern, Value: v})
			}
			for _, v := range c.Path.RegexValues {
				m.Paths = append(m.Paths, intent.Path{Kind: intent.PathRegex, Value: v})
			}
		case model.FieldHeader:
			m.Headers = append(m.Headers, intent.Header{
				Name: c.Header.Name, Values: c.Header.Values, Pattern: len(c.Header.Values) > 0, Regexes: c.Header.RegexValues,
			})
		case model.FieldMethod:
			m.Methods = append(m.Methods, c.Method.Values...)
		case model.FieldQuery:
			m.Queries = append(m.Queries, intent.Query{Pairs: pairsOf(c.Query.Values), Pattern: true})
		case model.FieldSourceIP:
			m.SourceIPs = append(m.SourceIPs, c.SourceIP.Values...)
		}
	}
}

func pairsOf(values []annotations.QueryPair) []model.QueryPair {
	out := make([]model.QueryPair, 0, len(values))
	for _, v := range values {
		out = append(out, model.QueryPair(v))
	}
	return out
}
