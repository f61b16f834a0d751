package annotations

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The types of actions.
const (
	ActionForward  = "forward"
	ActionRedirect = "redirect"
	ActionFixed    = "fixed-response"
)

// maxStickySeconds is AWS's limit of group stickiness: seven days.
const maxStickySeconds = 604800

// Action is the value of actions.<name>.
type Action struct {
	Type            string         `json:"type"`
	TargetGroupARN  string         `json:"targetGroupARN"`
	TargetGroupName string         `json:"targetGroupName"`
	Fixed           *FixedConfig   `json:"fixedResponseConfig"`
	Redirect        *RedirectConf  `json:"redirectConfig"`
	Forward         *ForwardConfig `json:"forwardConfig"`
}

// FixedConfig is the answer of a fixed-response.
type FixedConfig struct {
	ContentType string `json:"contentType"`
	MessageBody string `json:"messageBody"`
	StatusCode  string `json:"statusCode"`
}

// RedirectConf is where a redirect leads; a part that is not written stays.
type RedirectConf struct {
	Host       *string `json:"host"`
	Path       *string `json:"path"`
	Port       *string `json:"port"`
	Protocol   *string `json:"protocol"`
	Query      *string `json:"query"`
	StatusCode string  `json:"statusCode"`
}

// ForwardConfig is the target groups of a forward.
type ForwardConfig struct {
	TargetGroups []TargetGroup `json:"targetGroups"`
	Stickiness   *Stickiness   `json:"targetGroupStickinessConfig"`
}

// TargetGroup is a share of a forward: one of ARN, Name, and ServiceName with ServicePort.
type TargetGroup struct {
	ARN         string      `json:"targetGroupARN"`
	Name        string      `json:"targetGroupName"`
	ServiceName string      `json:"serviceName"`
	ServicePort ServicePort `json:"servicePort"`
	Weight      *int        `json:"weight"`
}

// Stickiness keeps a client with its target group.
type Stickiness struct {
	Enabled         bool `json:"enabled"`
	DurationSeconds int  `json:"durationSeconds"`
}

// ServicePort is a port by its number or name; a number may stand in quotes.
type ServicePort string

// UnmarshalJSON takes a JSON number or string.
func (p *ServicePort) UnmarshalJSON(data []byte) error {
	var number int
	if err := json.Unmarshal(data, &number); err == nil {
		*p = ServicePort(strconv.Itoa(number))
		return nil
	}
	var name string
	if err := json.Unmarshal(data, &name); err != nil {
		return fmt.Errorf("reading servicePort: %w", err)
	}
	*p = ServicePort(name)
	return nil
}

// Groups are the target groups of a forward, in its long or short form.
func (a Action) Groups() []TargetGroup {
	if a.Forward != nil && len(a.Forward.TargetGroups) > 0 {
		return a.Forward.TargetGroups
	}
	if a.TargetGroupARN != "" || a.TargetGroupName != "" {
		return []TargetGroup{{ARN: a.TargetGroupARN, Name: a.TargetGroupName}}
	}
	return nil
}

// Validate holds the rules of an action.
func (a Action) Validate() error {
	switch a.Type {
	case ActionForward:
		return a.validateForward()
	case ActionRedirect:
		if a.Redirect == nil {
			return errors.New("redirectConfig is missing: write where the redirect leads")
		}
		return a.Redirect.validate()
	case ActionFixed:
		if a.Fixed == nil {
			return errors.New("fixedResponseConfig is missing: write the statusCode to answer with")
		}
		return a.Fixed.validate()
	}
	return fmt.Errorf("type %s is not known: write %s, %s or %s", quote(a.Type), ActionForward, ActionRedirect, ActionFixed)
}

func (a Action) validateForward() error {
	groups := a.Groups()
	if len(groups) == 0 {
		return errors.New("a forward needs forwardConfig.targetGroups, targetGroupARN or targetGroupName")
	}
	for i, g := range groups {
		if err := g.validate(len(groups)); err != nil {
			return fmt.Errorf("targetGroups[%d]: %w", i, err)
		}
	}
	if a.Forward == nil || a.Forward.Stickiness == nil || !a.Forward.Stickiness.Enabled {
		return nil
	}
	if d := a.Forward.Stickiness.DurationSeconds; d < 1 || d > maxStickySeconds {
		return fmt.Errorf("targetGroupStickinessConfig.durationSeconds %d is out of bounds: write 1 to %d", d, maxStickySeconds)
	}
	return nil
}

func (g TargetGroup) validate(of int) error {
	named := 0
	for _, s := range []string{g.ARN, g.Name, g.ServiceName} {
		if s != "" {
			named++
		}
	}
	switch {
	case named != 1:
		return errors.New("write exactly one of targetGroupARN, targetGroupName and serviceName")
	case g.ServiceName != "" && g.ServicePort == "":
		return errors.New("servicePort is missing: write the number or name of the Service's port")
	case g.Weight == nil && of > 1:
		return errors.New("weight is missing: each of several target groups needs one")
	case g.Weight != nil && *g.Weight < 0:
		return errors.New("weight is below 0: write 0 to 999")
	}
	return checkTargetGroup(g.ARN, g.Name)
}

func (c FixedConfig) validate() error {
	code, err := strconv.Atoi(c.StatusCode)
	if err != nil || len(c.StatusCode) != 3 || code < 200 || code > 599 || code >= 300 && code < 400 {
		return fmt.Errorf(`fixedResponseConfig.statusCode %s is no status that AWS answers with: write "200" to "299" or "400" to "599"`,
			quote(c.StatusCode))
	}
	types := []string{"", "text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	if !slices.Contains(types, c.ContentType) {
		return fmt.Errorf("fixedResponseConfig.contentType %s is not served by AWS: write one of %s",
			quote(c.ContentType), strings.Join(types[1:], ", "))
	}
	if len(c.MessageBody) > 1024 {
		return errors.New("fixedResponseConfig.messageBody is longer than the 1024 bytes that AWS takes")
	}
	return nil
}

func (c RedirectConf) validate() error {
	if c.StatusCode != "HTTP_301" && c.StatusCode != "HTTP_302" {
		return fmt.Errorf("redirectConfig.statusCode %s is not known: write HTTP_301 or HTTP_302", quote(c.StatusCode))
	}
	if c.Host == nil && c.Path == nil && c.Port == nil && c.Protocol == nil {
		return errors.New("the redirect leads to where the request is: write at least one of host, path, port and protocol")
	}
	return c.validateParts()
}

func (c RedirectConf) validateParts() error {
	switch {
	case c.Protocol != nil && !slices.Contains([]string{"HTTP", "HTTPS", "#{protocol}"}, *c.Protocol):
		return fmt.Errorf("redirectConfig.protocol %s is not known: write HTTP, HTTPS or #{protocol}", quote(*c.Protocol))
	case c.Port != nil && *c.Port != "#{port}" && CheckPort(*c.Port) != nil:
		return fmt.Errorf("redirectConfig.port: %w", CheckPort(*c.Port))
	case c.Path != nil && !strings.HasPrefix(*c.Path, "/"):
		return fmt.Errorf("redirectConfig.path %s does not begin with /", quote(*c.Path))
	case c.Query != nil && strings.HasPrefix(*c.Query, "?"):
		return errors.New("redirectConfig.query begins with ?: leave that out, AWS adds it")
	}
	return nil
}
