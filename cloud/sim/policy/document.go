package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Document is an identity-based policy.
type Document struct{ statements []statement }

// statement is one grant or refusal.
type statement struct {
	deny                   bool
	actions, notActions    texts
	resources, noResources texts
	conditions             []condition
}

// texts is one text or a list of texts in JSON.
type texts []string

var errPolicy = errors.New("invalid policy")

// UnmarshalJSON takes what IAM takes as a value: texts, booleans and numbers, one or several.
func (t *texts) UnmarshalJSON(body []byte) error {
	var value any
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	if err := in.Decode(&value); err != nil {
		return fmt.Errorf("reading a value: %w", err)
	}
	all, list := value.([]any)
	if !list {
		all = []any{value}
	}
	*t = texts{}
	for _, v := range all {
		switch v.(type) {
		case string, bool, json.Number:
			*t = append(*t, fmt.Sprint(v))
		default:
			return fmt.Errorf("%v is no value: %w", v, errPolicy)
		}
	}
	return nil
}

// source is a policy as it is written.
type source struct {
	Version   string
	ID        string `json:"Id"`
	Statement json.RawMessage
}

type sourceStatement struct {
	Sid, Effect       string
	Action, NotAction texts
	Resource          texts
	NotResource       texts
	Condition         map[string]map[string]texts
	Principal         json.RawMessage
}

// Parse reads a policy document. An operator, an element or a variable that cannot be evaluated is an error that names it.
func Parse(body []byte) (*Document, error) {
	all, err := readStatements(body, knownVersion)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	for i, s := range all {
		parsed, err := s.parse()
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
		d.statements = append(d.statements, parsed)
	}
	return d, nil
}

func knownVersion(version string) bool { return version == "2012-10-17" || version == "2008-10-17" }

// readStatements reads a policy, the version of which fits.
func readStatements(body []byte, fits func(version string) bool) ([]sourceStatement, error) {
	var from source
	if err := strictly(body, &from); err != nil {
		return nil, err
	}
	if !fits(from.Version) {
		return nil, fmt.Errorf("version is %q, not 2012-10-17: %w", from.Version, errPolicy)
	}
	list := from.Statement
	if bytes.HasPrefix(bytes.TrimSpace(list), []byte("{")) {
		list = slices.Concat([]byte("["), list, []byte("]"))
	}
	var all []sourceStatement
	if err := strictly(list, &all); err != nil {
		return nil, err
	}
	return all, nil
}

func strictly(body []byte, into any) error {
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	return nil
}

func (s sourceStatement) parse() (statement, error) {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return statement{}, fmt.Errorf("effect is %q, not Allow or Deny: %w", s.Effect, errPolicy)
	case s.Principal != nil:
		return statement{}, fmt.Errorf("a policy of an identity has no Principal: %w", errPolicy)
	case (s.Action == nil) == (s.NotAction == nil):
		return statement{}, fmt.Errorf("it needs one of Action and NotAction: %w", errPolicy)
	case (s.Resource == nil) == (s.NotResource == nil):
		return statement{}, fmt.Errorf("it needs one of Resource and NotResource: %w", errPolicy)
	}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if a != "*" && !strings.Contains(a, ":") {
			return statement{}, fmt.Errorf("action %q has no service: %w", a, errPolicy)
		}
	}
	for _, text := range slices.Concat(s.Resource, s.NotResource) {
		if strings.Contains(text, "${") {
			return statement{}, fmt.Errorf("resource %q has a variable, which is not evaluated: %w", text, errPolicy)
		}
	}
	conditions, err := parseConditions(s.Condition)
	return statement{
		deny: s.Effect == "Deny", actions: s.Action, notActions: s.NotAction, resources: s.Resource, noResources: s.NotResource,
		conditions: conditions,
	}, err
}
