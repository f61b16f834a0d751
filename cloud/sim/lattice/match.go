package lattice

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// pathForm is the form of paths (API reference, PathMatchType).
var pathForm = regexp.MustCompile(`^/[a-zA-Z0-9@:%_+.~#?&/=-]*$`)

// Limits of matches (API reference).
const (
	mostHeaders   = 5
	longestPath   = 200
	longestMethod = 16
	longestHeader = 100
	longestValue  = 200
)

// checkMatch checks what a rule looks for and gives it with defaults.
func checkMatch(match types.RuleMatch) (types.RuleMatch, error) {
	http, ok := match.(*types.RuleMatchMemberHttpMatch)
	if !ok {
		return nil, invalid("match", "A match must be given")
	}
	m := http.Value
	if m.Method == nil && m.PathMatch == nil && len(m.HeaderMatches) == 0 {
		return nil, invalid("match", "A match must have a method, a path or headers")
	}
	if m.Method != nil && (*m.Method == "" || len(*m.Method) > longestMethod) {
		return nil, invalid("match.httpMatch.method", "A method has 1 to %d characters", longestMethod)
	}
	if m.PathMatch != nil {
		path, err := checkPath(*m.PathMatch)
		if err != nil {
			return nil, err
		}
		m.PathMatch = &path
	}
	headers, err := checkHeaders(m.HeaderMatches)
	m.HeaderMatches = headers
	return &types.RuleMatchMemberHttpMatch{Value: m}, err
}

func checkPath(p types.PathMatch) (types.PathMatch, error) {
	text := ""
	switch one := p.Match.(type) {
	case *types.PathMatchTypeMemberExact:
		text = one.Value
	case *types.PathMatchTypeMemberPrefix:
		text = one.Value
	}
	if len(text) > longestPath || !pathForm.MatchString(text) {
		return p, invalid("match.httpMatch.pathMatch", "The path '%s' is not valid", text)
	}
	p.CaseSensitive = aws.Bool(aws.ToBool(p.CaseSensitive))
	return p, nil
}

func checkHeaders(all []types.HeaderMatch) ([]types.HeaderMatch, error) {
	const field = "match.httpMatch.headerMatches"
	if len(all) > mostHeaders {
		return nil, invalid(field, "There can be at most %d headers", mostHeaders)
	}
	var checked []types.HeaderMatch
	for _, h := range all {
		text := ""
		switch one := h.Match.(type) {
		case *types.HeaderMatchTypeMemberExact:
			text = one.Value
		case *types.HeaderMatchTypeMemberPrefix:
			text = one.Value
		case *types.HeaderMatchTypeMemberContains:
			text = one.Value
		}
		if name := aws.ToString(h.Name); name == "" || len(name) > longestHeader || text == "" || len(text) > longestValue {
			return nil, invalid(field, "The header match of '%s' is not valid", name)
		}
		h.CaseSensitive = aws.Bool(aws.ToBool(h.CaseSensitive))
		checked = append(checked, h)
	}
	return checked, nil
}

// Limits of actions (API reference; developer guide, "Quotas").
const (
	mostForwarded = 10
	mostWeight    = 999
	mostGroups    = 10
)

// action checks what a rule does and gives it with defaults and plain identifiers.
func (m *Mesh) action(s *service, protocol types.ListenerProtocol, action types.RuleAction) (types.RuleAction, error) {
	passes := protocol == types.ListenerProtocolTlsPassthrough
	switch a := action.(type) {
	case *types.RuleActionMemberFixedResponse:
		const missing, broken = 404, 500
		if code := aws.ToInt32(a.Value.StatusCode); passes || code != missing && code != broken {
			return nil, invalid("action.fixedResponse.statusCode", "A fixed response is %d or %d, and needs HTTP", missing, broken)
		}
		return action, nil
	case *types.RuleActionMemberForward:
		return m.forward(s, passes, a.Value.TargetGroups)
	default:
		return nil, invalid("action", "An action must be given")
	}
}

func (m *Mesh) forward(s *service, passes bool, to []types.WeightedTargetGroup) (types.RuleAction, error) {
	const field, usual = "action.forward.targetGroups", 100
	if len(to) < 1 || len(to) > mostForwarded {
		return nil, invalid(field, "1 to %d target groups must be given", mostForwarded)
	}
	used := m.groupsOf(s)
	var all []types.WeightedTargetGroup
	for _, w := range to {
		g, err := find(&m.groups, groupKind, w.TargetGroupIdentifier)
		if err != nil {
			return nil, err
		}
		weight := int32(usual)
		if w.Weight != nil {
			weight = *w.Weight
		}
		switch other := m.serviceOf(g); {
		case weight < 0 || weight > mostWeight:
			return nil, invalid(field, "A weight is between 0 and %d", mostWeight)
		case m.status(g.life) == deleting || m.status(g.life) == unmade:
			return nil, conflict(groupKind, g.id, "Target group %s is in the state %s", g.id, m.status(g.life))
		case other != nil && other != s:
			return nil, conflict(groupKind, g.id, "Target group %s is used by service %s", g.id, other.id)
		case passes != (g.config != nil && g.config.Protocol == types.TargetGroupProtocolTcp):
			return nil, invalid(field, "Target groups of the protocol TCP and listeners of the protocol TLS_PASSTHROUGH need each other")
		}
		used[g.id] = true
		all = append(all, types.WeightedTargetGroup{TargetGroupIdentifier: &g.id, Weight: &weight})
	}
	if len(used) > mostGroups {
		return nil, exceeded(groupKind, mostGroups)
	}
	return &types.RuleActionMemberForward{Value: types.ForwardAction{TargetGroups: all}}, nil
}

// groupsOf gives the target groups that a service uses.
func (m *Mesh) groupsOf(s *service) map[string]bool {
	used := map[string]bool{}
	for _, l := range s.listeners.All() {
		for _, r := range l.rules.All() {
			if f, ok := r.action.(*types.RuleActionMemberForward); ok {
				for _, w := range f.Value.TargetGroups {
					used[*w.TargetGroupIdentifier] = true
				}
			}
		}
	}
	return used
}

// serviceOf gives the service that uses a target group; nil if none does.
func (m *Mesh) serviceOf(g *group) *service {
	for _, s := range m.services.All() {
		if m.groupsOf(s)[g.id] {
			return s
		}
	}
	return nil
}
