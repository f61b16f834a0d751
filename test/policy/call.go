package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Call is a call to AWS as its endpoint receives it.
type Call struct {
	// Service is the signing name, as in elasticloadbalancing, which is also the prefix of the service's actions.
	Service string
	Action  string
	// form are the parameters of the Query protocols; of the JSON protocols what is a text, and tags, as Query would write them.
	form url.Values
}

// ReadCall reads the call of a request with its body.
func ReadCall(req *http.Request, body []byte) (Call, error) {
	c := Call{Service: signedFor(req.Header.Get("Authorization"))}
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		_, c.Action, _ = strings.Cut(target, ".")
		form, err := readJSON(body)
		if err != nil {
			return c, fmt.Errorf("the body of %s: %w", c, err)
		}
		c.form = form
		return c, nil
	}
	if c.Service == "route53" {
		c.Action = zoneAction(req)
		if c.Action == "" {
			return c, fmt.Errorf("%s %s of Route 53: %w", req.Method, req.URL.Path, errUnknown)
		}
		return c, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return c, fmt.Errorf("reading the parameters of a call: %w", err)
	}
	c.form, c.Action = form, form.Get("Action")
	if c.Action == "" || c.Service == "" {
		return c, fmt.Errorf("a call of %q: %w", c, errUnknown)
	}
	return c, nil
}

// readJSON reads what rights depend on.
func readJSON(body []byte) (url.Values, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("%w: no JSON object", errUnknown)
	}
	out := url.Values{}
	for name, value := range members {
		var text string
		if json.Unmarshal(value, &text) == nil {
			out.Set(name, text)
		}
	}
	var tags []struct {
		Key   string `json:"Key"`
		Value string `json:"Value"`
	}
	if _, has := members["Tags"]; has && json.Unmarshal(members["Tags"], &tags) != nil {
		return nil, fmt.Errorf("%w: tags that are no list", errUnknown)
	}
	for i, tag := range tags {
		out.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), tag.Key)
		out.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), tag.Value)
	}
	return out, nil
}

// zoneAction is the action of a call of Route 53, which method and path tell; empty for those that the operator never makes.
func zoneAction(req *http.Request) string {
	path := strings.TrimSuffix(req.URL.Path, "/")
	switch {
	case req.Method == http.MethodGet && strings.HasSuffix(path, "/hostedzone"):
		return "ListHostedZones"
	case req.Method == http.MethodPost && strings.HasSuffix(path, "/rrset"):
		return "ChangeResourceRecordSets"
	default:
		return ""
	}
}

// String is the call's action as policies name it.
func (c Call) String() string { return c.Service + ":" + c.Action }

// Writes tells whether the call changes something.
func (c Call) Writes() bool {
	return !slices.ContainsFunc([]string{"Describe", "List", "Get"}, func(verb string) bool { return strings.HasPrefix(c.Action, verb) })
}

// signedFor reads the service out of a signature, whose scope is KEY/DATE/REGION/SERVICE/aws4_request.
func signedFor(authorization string) string {
	const service = 3
	_, scope, _ := strings.Cut(authorization, "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if len(parts) <= service {
		return ""
	}
	return parts[service]
}

// Right is what a policy must grant: an action on a resource in a context.
type Right struct {
	// Action with its service, as in elasticloadbalancing:CreateRule.
	Action string
	// Resource is an ARN. The last part of one that does not exist yet is made up.
	Resource string
	// Context holds condition keys, as in aws:RequestTag/team.
	Context map[string]string
}

// String names the right for people.
func (r Right) String() string {
	return fmt.Sprintf("%s on %s %v", r.Action, r.Resource, r.Context)
}

// TagsOf gives the tags of a resource by its ARN; nil for one without tags.
type TagsOf func(arn string) map[string]string

// Rights lists what a policy must grant for a call: one right for each resource, and those to tag what the call makes.
func (c Call) Rights(tagsOf TagsOf) []Right {
	if !c.Writes() {
		return []Right{{Action: c.String(), Resource: "*"}}
	}
	requested := c.requestTags()
	var out []Right
	for _, resource := range c.resources() {
		r := Right{Action: c.String(), Resource: resource, Context: withPrefix("aws:RequestTag/", requested)}
		maps.Copy(r.Context, withPrefix("aws:ResourceTag/", tagsOf(resource)))
		out = append(out, r)
	}
	if made := c.makes(); made != "" && len(requested) > 0 {
		out = append(out, c.tagging(made, requested))
	}
	return out
}

// tagging is the right to tag what the call makes.
func (c Call) tagging(made string, tags map[string]string) Right {
	out := Right{Action: c.Service + ":AddTags", Resource: made, Context: withPrefix("aws:RequestTag/", tags)}
	switch c.Service {
	case "acm": // it does not tell policies which action tags are set by
		out.Action = "acm:AddTagsToCertificate"
		return out
	case "ec2":
		out.Action = "ec2:CreateTags"
	}
	out.Context[c.Service+":CreateAction"] = c.Action
	return out
}

func withPrefix(prefix string, tags map[string]string) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range tags {
		out[prefix+k] = v
	}
	return out
}

// requestTags are the tags that the call sets.
func (c Call) requestTags() map[string]string {
	out := map[string]string{}
	for name, values := range c.form {
		key, isTag := strings.CutSuffix(name, ".Key")
		if !isTag || !strings.Contains(key, "Tag") {
			continue
		}
		out[values[0]] = c.form.Get(key + ".Value")
	}
	// RemoveTags and DeleteTags name keys only.
	for name, values := range c.form {
		if strings.HasPrefix(name, "TagKeys.") {
			out[values[0]] = ""
		}
	}
	return out
}

const (
	arnELB = "arn:aws:elasticloadbalancing:us-west-2:123456789012:"
	arnEC2 = "arn:aws:ec2:us-west-2:123456789012:"
	arnACM = "arn:aws:acm:us-west-2:123456789012:"
)

// made says what ARNs the things have that an action makes; the last part is AWS's choice.
func made() map[string]string {
	return map[string]string{
		"CreateLoadBalancer": arnELB + "loadbalancer/app/new/0", "CreateTargetGroup": arnELB + "targetgroup/new/0",
		"CreateListener": arnELB + "listener/app/new/0/0", "CreateRule": arnELB + "listener-rule/app/new/0/0/0",
		"CreateSecurityGroup": arnEC2 + "security-group/sg-0", "AuthorizeSecurityGroupIngress": arnEC2 + "security-group-rule/sgr-0",
		"ImportCertificate": arnACM + "certificate/0", "RequestCertificate": arnACM + "certificate/0",
	}
}

// makes is the ARN of what the call makes; empty where it makes nothing, as an import into a certificate that exists.
func (c Call) makes() string {
	if c.form.Get(certificateARN) != "" {
		return ""
	}
	return made()[c.Action]
}

// resources are those that the call names, or the one that it makes.
func (c Call) resources() []string {
	var out []string
	for name, values := range c.form {
		value := values[0]
		switch {
		case strings.HasPrefix(name, "ResourceArns."), strings.HasSuffix(name, ".RuleArn"), slices.Contains(named(), name):
			out = append(out, value)
		case name == "GroupId", strings.HasPrefix(name, "ResourceId."):
			out = append(out, arnEC2+"security-group/"+value)
		}
	}
	if len(out) == 0 {
		out = append(out, c.makes())
	}
	slices.Sort(out)
	return out
}

// certificateARN is the parameter of ACM that holds the ARN of what is changed.
const certificateARN = "CertificateArn"

// named are the parameters that hold the ARN of what is changed.
func named() []string {
	return []string{"LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", certificateARN}
}
