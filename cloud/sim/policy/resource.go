package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// ParseResource reads a policy of a resource, whose statements say for whom they are. Decide takes every caller for an anonymous one: only
// statements for everybody count. A statement that excepts somebody cannot be evaluated, and is an error as in [Parse].
func ParseResource(body []byte) (*Document, error) {
	all, err := readStatements(body, anyVersion)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	for i, s := range all {
		everybody, err := forEverybody(s.Principal)
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
		s.Principal = nil
		parsed, err := s.parse()
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
		if everybody {
			d.statements = append(d.statements, parsed)
		}
	}
	return d, nil
}

// anyVersion also takes a policy that says none, as policies of resources may.
func anyVersion(version string) bool { return version == "" || knownVersion(version) }

// forEverybody reports whether a principal is everybody, anonymous callers among them.
func forEverybody(principal json.RawMessage) (bool, error) {
	if bytes.Equal(bytes.TrimSpace(principal), []byte(`"*"`)) {
		return true, nil
	}
	var kinds map[string]texts
	if err := json.Unmarshal(principal, &kinds); err != nil || len(kinds) == 0 {
		return false, fmt.Errorf("principal %s is none: %w", principal, errPolicy)
	}
	return slices.Contains(kinds["AWS"], "*"), nil
}
