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

// rewrites are the transforms that a rule's URLRewrite asks for, for requests that match.
func rewrites(j *judged, rule ruleAt, match intent.Match) []model.Transform {
	var out []model.Transform
	for i, f := range rule.Filters {
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
