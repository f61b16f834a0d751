package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Caller is who a policy of a resource is asked about: the texts by which a Principal may name it, by their kind (AWS, Service, Federated).
// The zero value is an anonymous one.
type Caller map[string][]string

// ParseResource reads a policy of a resource for an anonymous caller: only statements for everybody count.
func ParseResource(body []byte) (*Document, error) { return ParseFor(body, nil) }

// ParseFor reads a policy of a resource, whose statements say for whom they are. Decide knows those for everybody and for the caller. A
// statement that excepts somebody cannot be evaluated, and is an error as in [Parse].
func ParseFor(body []byte, who Caller) (*Document, error) {
	return parseFor(body, who, func(*sourceStatement) {})
}

// ParseTrust reads the policy that says who may assume a role. Its statements are about that role.
func ParseTrust(body []byte, who Caller) (*Document, error) {
	return parseFor(body, who, func(s *sourceStatement) {
		if s.Resource == nil && s.NotResource == nil {
			s.Resource = texts{"*"}
		}
	})
}

func parseFor(body []byte, who Caller, complete func(*sourceStatement)) (*Document, error) {
	all, err := readStatements(body, anyVersion)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	for i, s := range all {
		meant, err := who.meant(s.Principal)
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
		s.Principal = nil
		complete(&s)
		parsed, err := s.parse()
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
		if meant {
			d.statements = append(d.statements, parsed)
		}
	}
	return d, nil
}

// anyVersion also takes a policy that says none, as policies of resources may.
func anyVersion(version string) bool { return version == "" || knownVersion(version) }

// meant reports whether a principal is the caller, or everybody.
func (who Caller) meant(principal json.RawMessage) (bool, error) {
	if bytes.Equal(bytes.TrimSpace(principal), []byte(`"*"`)) {
		return true, nil
	}
	var kinds map[string]texts
	if err := json.Unmarshal(principal, &kinds); err != nil || len(kinds) == 0 {
		return false, fmt.Errorf("principal %s is none: %w", principal, errPolicy)
	}
	for kind, names := range kinds {
		if slices.ContainsFunc(who[kind], func(name string) bool { return slices.Contains(names, name) }) {
			return true, nil
		}
	}
	return slices.Contains(kinds["AWS"], "*"), nil
}
