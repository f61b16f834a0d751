package gateway

import (
	"fmt"
	"regexp"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Types of transforms (ELBv2 API, RuleTransform.Type).
const (
	rewriteHost = "host-header-rewrite"
	rewriteURL  = "url-rewrite"
)

// rewrites are the transforms that a rule's URLRewrite asks for, or its RequestRedirect, for requests that match.
func rewrites(j *judged, rule ruleAt, match intent.Match) []model.Transform {
	var out []model.Transform
	for i, f := range rule.Filters {
		if f.RequestRedirect != nil && f.RequestRedirect.Path != nil && f.RequestRedirect.Path.ReplacePrefixMatch != nil {
			at := fmt.Sprintf("%s.filters[%d].requestRedirect.path", rule.field, i)
			out = append(out, rewritePath(j, at, *redirectedPrefix(*f.RequestRedirect), match)...)
		}
		if f.URLRewrite == nil {
			continue
		}
		at := fmt.Sprintf("%s.filters[%d].urlRewrite", rule.field, i)
		if f.URLRewrite.Hostname != nil {
			out = append(out, model.Transform{Type: rewriteHost, Regex: "^.*$", Replace: string(*f.URLRewrite.Hostname)})
		}
		if f.URLRewrite.Path != nil {
			out = append(out, rewritePath(j, at+".path", *f.URLRewrite.Path, match)...)
		}
	}
	return out
}

// rewritePath is how a path is replaced; the query stays.
func rewritePath(j *judged, field string, p gwv1.HTTPPathModifier, match intent.Match) []model.Transform {
	var by model.Transform
	switch {
	case p.ReplaceFullPath != nil:
		by = model.Transform{Regex: `^[^?]*`, Replace: *p.ReplaceFullPath}
	case p.ReplacePrefixMatch == nil:
		knowsModifier(j, field, p)
		return nil
	case len(match.Paths) != 1 || match.Paths[0].Kind != intent.PathPrefix:
		j.refuse(field+".replacePrefixMatch", "there is no prefix to replace: match by a path of type PathPrefix")
		return nil
	default:
		by = replacePrefix(match.Paths[0].Value, *p.ReplacePrefixMatch)
	}
	switch {
	case strings.Contains(by.Replace, "$"):
		j.refuse(field, "an application load balancer takes a $ in what replaces a path for a group of its expression: use a path without it")
		return nil
	case by.Regex == "":
		return nil
	case by.Replace == "" || by.Replace[0] != '/':
		by.Replace = "/" + by.Replace
	}
	by.Type = rewriteURL
	return []model.Transform{by}
}

// knowsModifier refuses a way to change a path that nobody knows.
func knowsModifier(j *judged, field string, p gwv1.HTTPPathModifier) {
	if p.Type != "" && p.Type != gwv1.FullPathHTTPPathModifier && p.Type != gwv1.PrefixMatchHTTPPathModifier {
		j.refuse(field+".type", "there is no type %q: use ReplaceFullPath or ReplacePrefixMatch", p.Type)
	}
}

// replacePrefix replaces whole segments (Gateway API, HTTPPathModifier.replacePrefixMatch): a slash at the end of either counts for nothing,
// and what is left begins with one. A rule's own condition sees to it that the prefix ends where a segment does. Nothing comes of one that
// changes nothing.
func replacePrefix(prefix, by string) model.Transform {
	prefix, by = strings.TrimRight(prefix, "/"), strings.TrimRight(by, "/")
	switch {
	case prefix == by:
		return model.Transform{}
	case by == "", prefix == "":
		return model.Transform{Regex: "^" + regexp.QuoteMeta(prefix) + "/?", Replace: by + "/"}
	}
	return model.Transform{Regex: "^" + regexp.QuoteMeta(prefix), Replace: by}
}

// Redirects that replace a prefix. AWS makes a redirect of what the transforms of its rule leave, so one that replaces the prefix is enough where
// the redirect changes scheme, host or port too. One that changes nothing else AWS takes for a loop, as its path is that of the request
// (guide of the incumbent for Gateways, "ReplacePrefixMatch"). There the path of the redirect has the first letter of what replaces the prefix,
// and the transform the rest: "/n#{path}" and "/ew" make "/new".

// changesPathOnly tells whether a redirect keeps scheme, host and port.
func changesPathOnly(f gwv1.HTTPRequestRedirectFilter) bool {
	return f.Scheme == nil && f.Hostname == nil && f.Port == nil
}

// prefixPath is the path of a redirect that replaces a prefix, empty where that of the request serves. It reports false where there is none.
func prefixPath(f gwv1.HTTPRequestRedirectFilter) (path string, ok bool) {
	if !changesPathOnly(f) {
		return "", true
	}
	head, _, ok := intent.PartPath(*f.Path.ReplacePrefixMatch)
	if !ok {
		return "", false
	}
	return head + "#{path}", true
}

// redirectedPrefix is what the transform beside a redirect does.
func redirectedPrefix(f gwv1.HTTPRequestRedirectFilter) *gwv1.HTTPPathModifier {
	out := f.Path.DeepCopy()
	if path, ok := prefixPath(f); ok && path != "" {
		_, rest, _ := intent.PartPath(*f.Path.ReplacePrefixMatch)
		out.ReplacePrefixMatch = &rest
	}
	return out
}
