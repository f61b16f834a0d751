package annotations

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/headgate/headgate/model"
)

// ConditionList is the value of conditions.<service>: all of them must hold.
type ConditionList []Condition

// Condition is one condition; the config that its field names is set.
type Condition struct {
	Field    string        `json:"field"`
	Host     *ValueConfig  `json:"hostHeaderConfig"`
	Path     *ValueConfig  `json:"pathPatternConfig"`
	Header   *HeaderConfig `json:"httpHeaderConfig"`
	Method   *PlainConfig  `json:"httpRequestMethodConfig"`
	Query    *QueryConfig  `json:"queryStringConfig"`
	SourceIP *PlainConfig  `json:"sourceIPConfig"`
}

// ValueConfig is values or regular expressions.
type ValueConfig struct {
	Values      []string `json:"values"`
	RegexValues []string `json:"regexValues"`
}

// HeaderConfig is a header with its values or regular expressions.
type HeaderConfig struct {
	Name        string   `json:"httpHeaderName"`
	Values      []string `json:"values"`
	RegexValues []string `json:"regexValues"`
}

// PlainConfig is values.
type PlainConfig struct {
	Values []string `json:"values"`
}

// QueryConfig is pairs of a query string.
type QueryConfig struct {
	Values []QueryPair `json:"values"`
}

// QueryPair is a value under a key, or under any.
type QueryPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Validate holds the rules of the conditions.
func (l ConditionList) Validate() error {
	once := map[string]bool{model.FieldMethod: true, model.FieldSourceIP: true}
	seen := map[string]bool{}
	for i, c := range l {
		if err := c.validate(); err != nil {
			return fmt.Errorf("condition %d: %w", i, err)
		}
		if once[c.Field] && seen[c.Field] {
			return fmt.Errorf("condition %d: a rule of an ALB has one %s condition at most: write its values in one", i, c.Field)
		}
		seen[c.Field] = true
	}
	return nil
}

func (c Condition) validate() error {
	switch c.Field {
	case model.FieldHost:
		return c.Host.validate("hostHeaderConfig")
	case model.FieldPath:
		return c.Path.validate("pathPatternConfig")
	case model.FieldHeader:
		return c.Header.validate()
	case model.FieldMethod:
		return c.Method.validate("httpRequestMethodConfig")
	case model.FieldQuery:
		if c.Query == nil || len(c.Query.Values) == 0 {
			return errors.New("queryStringConfig.values is missing")
		}
		return nil
	case model.FieldSourceIP:
		return c.validateSources()
	}
	return fmt.Errorf("field %s is not known: write one of %s", quote(c.Field), strings.Join([]string{
		model.FieldHost, model.FieldPath, model.FieldHeader, model.FieldMethod, model.FieldQuery, model.FieldSourceIP,
	}, ", "))
}

func (c Condition) validateSources() error {
	if err := c.SourceIP.validate("sourceIPConfig"); err != nil {
		return err
	}
	for _, v := range c.SourceIP.Values {
		if _, err := netip.ParsePrefix(v); err != nil {
			return fmt.Errorf("sourceIPConfig: %s is no address block: write it as 192.0.2.0/24 or 2001:db8::/32", quote(v))
		}
	}
	return nil
}

// oddConditions finds what is no mistake in conditions, but hardly meant.
func oddConditions(raw string) error {
	if err := unknownField[ConditionList](raw); err != nil {
		return err
	}
	var all ConditionList
	_ = json.Unmarshal([]byte(raw), &all) // its form was looked at before
	for i, c := range all {
		if c.Field != model.FieldSourceIP || c.SourceIP == nil {
			continue
		}
		for _, v := range c.SourceIP.Values {
			if err := CheckHostBits(v); err != nil {
				return fmt.Errorf("condition %d: %w", i, err)
			}
		}
	}
	return nil
}

func (c *ValueConfig) validate(name string) error {
	if c == nil {
		return fmt.Errorf("%s is missing", name)
	}
	return oneOf(name, c.Values, c.RegexValues)
}

func (c *HeaderConfig) validate() error {
	if c == nil || c.Name == "" {
		return errors.New("httpHeaderConfig.httpHeaderName is missing")
	}
	return oneOf("httpHeaderConfig", c.Values, c.RegexValues)
}

func (c *PlainConfig) validate(name string) error {
	if c == nil || len(c.Values) == 0 {
		return fmt.Errorf("%s.values is missing", name)
	}
	return nil
}

func oneOf(name string, values, regex []string) error {
	if (len(values) == 0) == (len(regex) == 0) {
		return fmt.Errorf("%s: write exactly one of values and regexValues", name)
	}
	return nil
}
