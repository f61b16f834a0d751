package build

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Placeholders of a redirect that keeps a part of the request (ELBv2 API, RedirectActionConfig).
const (
	keepProtocol = "#{protocol}"
	keepHost     = "#{host}"
	keepPort     = "#{port}"
	keepPath     = "/#{path}"
	keepQuery    = "#{query}"
)

// Limits of actions (ELBv2 API).
const (
	maxForwardGroups  = 5
	maxWeight         = 999
	maxStickySeconds  = 604800
	maxBody           = 1024
	maxRedirectPart   = 128
	maxTransformRegex = 1024
)

// typeRewriteURL is the type of transforms that change the path (ELBv2 API, RuleTransform.Type).
const typeRewriteURL = "url-rewrite"

func fixed(status int) model.Action {
	return model.Action{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{
		StatusCode: strconv.Itoa(status), ContentType: "text/plain",
	}}
}

// routePlace is where a route was written: on the object that holds it, or on the member.
func routePlace(f *intent.Fragment, r *intent.Route) place {
	at := place{f.Member, r.Field}
	if r.Source.Name != "" {
		at.object = r.Source
	}
	return at
}

// addedPlace is the place of what was added to a route, which is at where nothing else is known.
func addedPlace(at place, r *intent.Route) place { return place{at.object, or(r.ExtraField, at.field)} }

// action is what answers a route on a port; false when AWS cannot do it.
func (b *builder) action(f *intent.Fragment, r *intent.Route, on *port) (model.Action, bool) {
	at := routePlace(f, r)
	switch {
	case r.Forward != nil:
		if n := r.Forward.StickySeconds; n < 0 || n > maxStickySeconds {
			b.wrong(addedPlace(at, r), "InvalidForward", "stickiness lasts 1 to %d seconds, not %d", maxStickySeconds, n)
			return model.Action{}, false
		}
		return b.forward(at, r.Forward, on)
	case r.Redirect != nil:
		a, problem := redirect(*r.Redirect, on)
		if problem != "" && r.Redirect.Query != nil && redirectable(*r.Redirect, on) {
			at = addedPlace(at, r)
		}
		if problem != "" {
			b.wrong(at, "InvalidRedirect", "%s", problem)
		}
		return a, problem == ""
	case r.Fixed != nil:
		a, problem := fixedResponse(*r.Fixed)
		if problem != "" {
			b.wrong(addedPlace(at, r), "InvalidFixedResponse", "%s", problem)
		}
		return a, problem == ""
	}
	b.wrong(at, "NoAction", "nothing says what answers the requests that match")
	return model.Action{}, false
}

// forward sends to the backends that there are; where there is none it answers 503.
func (b *builder) forward(at place, f *intent.Forward, on *port) (model.Action, bool) {
	out, lost, surplus := &model.Forward{StickySeconds: f.StickySeconds}, false, ""
	for i := range f.Backends {
		ref, ok := b.backend(at, f, &f.Backends[i])
		if !ok {
			lost = lost || f.Backends[i].TargetGroupName != "" && f.Backends[i].Weight > 0
			continue
		}
		if group := b.groups[ref.Key]; group != nil && group.ProtocolVersion != versionHTTP1 && on.protocol != protocolHTTPS {
			b.wrong(at, "ProtocolMismatch", "the backend has protocol version %s, which needs an HTTPS listener, and port %d is %s: "+
				"use an HTTPS listener, or HTTP1 (by the appProtocol of the Service's port, or the protocol version of its target group)",
				group.ProtocolVersion, on.number, on.protocol)
			return model.Action{}, false
		}
		if out.Groups = addShare(out.Groups, ref); len(out.Groups) > maxForwardGroups && surplus == "" {
			surplus = f.Backends[i].Field
		}
	}
	if lost && f.Whole != 0 {
		if len(out.Groups) > 0 {
			b.report(at, model.Answered, model.ReasonPartly, fmt.Sprintf("an application load balancer cannot answer %[1]d for the share of an invalid "+
				"backend only, so the whole rule answers %[1]d: mend or remove the invalid one", f.Whole))
		}
		return fixed(f.Whole), true
	}
	if len(out.Groups) == 0 {
		return fixed(cmp.Or(f.Whole, 503)), true
	}
	if len(out.Groups) > maxForwardGroups {
		b.wrong(place{at.object, or(surplus, at.field)}, "TooManyBackends", "%d backends share the requests, and AWS forwards to %d target groups at "+
			"most: leave some out, or put several behind one Service", len(out.Groups), maxForwardGroups)
		return model.Action{}, false
	}
	scaleWeights(out.Groups)
	return model.Action{Type: model.ActionForward, Forward: out}, true
}

func addShare(groups []model.WeightedGroup, add model.WeightedGroup) []model.WeightedGroup {
	i := slices.IndexFunc(groups, func(g model.WeightedGroup) bool { return g.Key == add.Key && g.ARN == add.ARN })
	if i < 0 {
		return append(groups, add)
	}
	groups[i].Weight += add.Weight
	return groups
}

// scaleWeights brings weights into AWS's range, 0 to 999, and keeps their ratio as well as whole numbers can. What has a weight keeps one.
func scaleWeights(groups []model.WeightedGroup) {
	top := 0
	for _, g := range groups {
		top = max(top, g.Weight)
	}
	if top <= maxWeight {
		return
	}
	for i, g := range groups {
		if g.Weight > 0 {
			groups[i].Weight = max(1, int((float64(g.Weight)*maxWeight)/float64(top)+0.5))
		}
	}
}

// backend refers to the target group of one backend of a forward; false when it is left out.
func (b *builder) backend(at place, f *intent.Forward, be *intent.Backend) (model.WeightedGroup, bool) {
	weight := max(0, be.Weight)
	at.field = or(be.Field, at.field)
	switch {
	case be.Service != nil:
		g := b.group(at, be.Service)
		if g == nil {
			return model.WeightedGroup{}, false
		}
		return model.WeightedGroup{Key: g.ID, Weight: weight}, true
	case be.TargetGroupARN != "":
		return model.WeightedGroup{ARN: model.ARN(be.TargetGroupARN), Weight: weight}, true
	case be.TargetGroupName != "":
		arn, ok := b.facts.TargetGroups[be.TargetGroupName]
		if !ok {
			b.report(at, model.Answered, model.ReasonNoTargetGroup,
				fmt.Sprintf("there is no target group with the name %q: make it, or name another; until then its requests are answered with %d",
					be.TargetGroupName, cmp.Or(f.Whole, 503)))
		}
		return model.WeightedGroup{ARN: arn, Weight: weight}, ok
	}
	return model.WeightedGroup{}, false
}

func redirect(r intent.Redirect, on *port) (model.Action, string) {
	out := model.Redirect{
		Protocol: or(r.Protocol, keepProtocol), Host: or(r.Host, keepHost), Port: or(r.Port, keepPort),
		Path: or(r.Path, keepPath), Query: keepQuery, StatusCode: "HTTP_" + strconv.Itoa(r.StatusCode),
	}
	if r.Query != nil {
		out.Query = *r.Query
	}
	return model.Action{Type: model.ActionRedirect, Redirect: &out}, redirectProblem(r.StatusCode, out, on)
}

// redirectable tells whether AWS takes a redirect but for its query.
func redirectable(r intent.Redirect, on *port) bool {
	r.Query = nil
	_, problem := redirect(r, on)
	return problem == ""
}

func redirectProblem(status int, to model.Redirect, on *port) string {
	switch {
	case !slices.Contains([]int{301, 302}, status):
		return fmt.Sprintf("a redirect answers 301 or 302, not %d", status)
	case !slices.Contains([]string{keepProtocol, protocolHTTP, protocolHTTPS}, to.Protocol):
		return fmt.Sprintf("%q is no protocol to redirect to; use HTTP, HTTPS or %s", to.Protocol, keepProtocol)
	case to.Protocol == protocolHTTP && on.protocol == protocolHTTPS:
		return "AWS cannot redirect HTTPS to HTTP"
	case to.Protocol == keepProtocol && to.Host == keepHost && to.Port == keepPort && to.Path == keepPath:
		return "a redirect must change the protocol, the host, the port or the path"
	case max(len(to.Host), len(to.Path), len(to.Query)) > maxRedirectPart:
		return fmt.Sprintf("the host, the path and the query of a redirect have %d characters at most", maxRedirectPart)
	case !strings.HasPrefix(to.Path, "/"):
		return fmt.Sprintf("the path %q of the redirect does not begin with /", to.Path)
	case !isRedirectPort(to.Port):
		return fmt.Sprintf("the port %q of the redirect is not 1 to 65535 or %s", to.Port, keepPort)
	}
	return keywordProblem(to)
}

// keywordProblem finds a placeholder where AWS fills it not in (ELBv2 API, RedirectActionConfig).
func keywordProblem(to model.Redirect) string {
	for _, part := range []struct {
		name, value string
		allowed     []string
	}{
		{"host", to.Host, []string{keepHost}},
		{"path", to.Path, []string{keepHost, keepPort, keepPath[1:]}},
		{"query", to.Query, []string{keepProtocol, keepHost, keepPort, keepPath[1:], keepQuery}},
	} {
		for rest := part.value; ; {
			_, after, ok := strings.Cut(rest, "#{")
			if !ok {
				break
			}
			name, end, _ := strings.Cut(after, "}")
			if keyword := "#{" + name + "}"; !slices.Contains(part.allowed, keyword) {
				return fmt.Sprintf("the %s of a redirect cannot contain %s; it can contain %s", part.name, keyword, strings.Join(part.allowed, ", "))
			}
			rest = end
		}
	}
	return ""
}

func isRedirectPort(s string) bool {
	n, err := strconv.Atoi(s)
	return s == keepPort || err == nil && n >= 1 && n <= 65535
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func contentTypes() []string {
	return []string{"", "text/plain", "text/css", "text/html", "application/javascript", "application/json"}
}

func fixedResponse(f intent.Fixed) (model.Action, string) {
	out := &model.FixedResponse{StatusCode: strconv.Itoa(f.StatusCode), ContentType: f.ContentType, Body: f.Body}
	problem := ""
	switch {
	case f.StatusCode < 200 || f.StatusCode > 599 || f.StatusCode/100 == 3:
		problem = fmt.Sprintf("a fixed response answers 2xx, 4xx or 5xx, not %d", f.StatusCode)
	case !slices.Contains(contentTypes(), f.ContentType):
		problem = fmt.Sprintf("%q is none of the content types %s", f.ContentType, strings.Join(contentTypes()[1:], ", "))
	case len(f.Body) > maxBody:
		problem = fmt.Sprintf("the body of a fixed response has %d characters at most", maxBody)
	}
	return model.Action{Type: model.ActionFixedResponse, FixedResponse: out}, problem
}

// transformProblem says what AWS would refuse of a rule's transforms.
func transformProblem(transforms []model.Transform) string {
	seen := map[string]bool{}
	for _, t := range transforms {
		switch {
		case t.Type != typeRewriteURL && t.Type != "host-header-rewrite":
			return fmt.Sprintf("%q is no type of transform; use url-rewrite or host-header-rewrite", t.Type)
		case seen[t.Type]:
			return "a rule has one transform of each type, and " + t.Type + " is there twice; leave one out"
		case t.Regex == "" || len(t.Regex) > maxTransformRegex || len(t.Replace) > maxTransformRegex:
			return fmt.Sprintf("a transform has an expression and a replacement of %d characters at most; shorten them", maxTransformRegex)
		}
		seen[t.Type] = true
	}
	return ""
}
