package sim

import (
	"maps"
	"net/http"
	"strings"
	"unicode"

	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/shape"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// permission is one thing that a call has to be allowed.
type permission struct {
	// action is as IAM names it, resource an ARN, a pattern of the ARN to be made, or *.
	action, resource string
	// creating is the operation that sets tags while it makes something.
	creating string
}

// permit says whether the caller's policy allows a call; nil if it does. A session has the rights of its role, and no others.
func (s *Simulator) permit(j job, who *identity.Session, in any) error {
	if who == nil && s.disturber.policy == nil || j.operation.Name == "GetCallerIdentity" {
		return nil
	}
	// A web identity stands for itself: the role's trust policy judges it.
	if j.operation.Name == "AssumeRoleWithWebIdentity" {
		return nil
	}
	caller, principal := identity.Caller(s.account), identity.Caller(s.account)
	if who != nil {
		caller, principal = who.ARN, who.Role
	}
	for _, p := range s.permissions(j.service.Name, j.operation, in) {
		keys := s.keys(p, in)
		keys["aws:principalarn"] = []string{principal}
		call := policy.Call{Action: p.action, Resource: p.resource, Keys: keys}
		var decision policy.Decision
		if who != nil {
			decision = s.directory.Decide(who.Role, call)
		} else {
			decision = s.disturber.policy.Decide(call)
		}
		if decision != policy.Allowed {
			return denied(j.service.Protocol, caller, p, decision)
		}
	}
	return nil
}

// expired gives the error of a service for a session that has ended.
func expired(protocol wire.Protocol) *wire.Error {
	const text = "The security token included in the request is expired"
	switch protocol.(type) {
	case wire.EC2:
		return wire.Errorf("RequestExpired", "%s", text)
	case wire.JSON, wire.RESTJSON:
		return wire.Errorf("ExpiredTokenException", "%s", text)
	default:
		return wire.Errorf("ExpiredToken", "%s", text).WithStatus(http.StatusForbidden)
	}
}

// permissions lists what a call needs: its own action on each resource, and that of tagging where it tags what it makes.
func (s *Simulator) permissions(service string, o wire.Operation, in any) []permission {
	var all []permission
	for _, r := range s.subjects(service, o, in) {
		all = append(all, permission{action: actionName(service, o.Name), resource: r})
	}
	tagging := map[string]string{"elasticloadbalancing": "AddTags", "ec2": "CreateTags", "acm": "AddTagsToCertificate"}[service]
	if tagging == "" || len(shape.Tags(in)) == 0 || !makes(o.Name) {
		return all
	}
	return append(all, permission{service + ":" + tagging, s.future(service, o.Name, in), o.Name})
}

// makes reports whether an operation makes something, by its name.
func makes(operation string) bool {
	for _, verb := range []string{"Create", "Import", "Request", "Run", "Allocate"} {
		// CreateTags is the one that makes nothing.
		if strings.HasPrefix(operation, verb) && operation != "CreateTags" {
			return true
		}
	}
	return false
}

// actionName gives the name that IAM has for an operation, which is mostly the same.
func actionName(service, operation string) string {
	prefix := service
	if service == "tagging" {
		prefix = "tag"
	}
	if service == "s3" {
		other := map[string]string{
			"ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket", "ListBuckets": "ListAllMyBuckets", "HeadObject": "GetObject",
			"DeleteObjects": "DeleteObject",
		}
		if name, ok := other[operation]; ok {
			operation = name
		}
	}
	return prefix + ":" + operation
}

// subjects gives the resources that a call is about: what it is to make, and the ARNs and identifiers that it names itself; else *.
func (s *Simulator) subjects(service string, o wire.Operation, in any) []string {
	balancing, network := service == "elasticloadbalancing", service == "ec2"
	if o.Kind == wire.Read && (balancing || network) || service == "tagging" {
		return []string{"*"}
	}
	var all []string
	if made := s.future(service, o.Name, in); network && makes(o.Name) || balancing && made != "" && len(s.named(service, in)) == 0 {
		all = append(all, made)
	}
	all = append(all, s.named(service, in)...)
	if o.Name == "SetRulePriorities" {
		for field, text := range shape.Texts(in) {
			if field == "RuleArn" {
				all = append(all, text)
			}
		}
	}
	if all == nil {
		return []string{"*"}
	}
	return all
}

// named gives the ARNs of the resources that an input names itself, not deeper. Load balancing checks its own resources only.
func (s *Simulator) named(service string, in any) []string {
	var all []string
	for _, text := range shape.Named(in) {
		arn := s.asARN(text)
		if arn != "" && (service != "elasticloadbalancing" || strings.Contains(arn, ":elasticloadbalancing:")) {
			all = append(all, arn)
		}
	}
	return all
}

// future gives the pattern of the ARN that an operation is to make; empty where that is not known.
func (s *Simulator) future(service, operation string, in any) string {
	texts := maps.Collect(shape.Named(in))
	switch service + ":" + operation {
	case "elasticloadbalancing:CreateLoadBalancer":
		kind := map[string]string{"network": "net", "gateway": "gwy"}[texts["Type"]]
		if kind == "" {
			kind = "app"
		}
		return s.account.ARN("elasticloadbalancing", "loadbalancer/"+kind+"/"+texts["Name"]+"/*")
	case "elasticloadbalancing:CreateTargetGroup":
		return s.account.ARN("elasticloadbalancing", "targetgroup/"+texts["Name"]+"/*")
	case "elasticloadbalancing:CreateTrustStore":
		return s.account.ARN("elasticloadbalancing", "truststore/"+texts["Name"]+"/*")
	case "elasticloadbalancing:CreateListener":
		return strings.Replace(texts["LoadBalancerArn"], ":loadbalancer/", ":listener/", 1) + "/*"
	case "elasticloadbalancing:CreateRule":
		return strings.Replace(texts["ListenerArn"], ":listener/", ":listener-rule/", 1) + "/*"
	}
	switch service {
	case "ec2":
		return s.account.ARN("ec2", networkKind(operation)+"/*")
	case "acm":
		return s.account.ARN("acm", "certificate/*")
	default:
		return ""
	}
}

// networkKind gives the type of what an operation of EC2 makes: CreateSecurityGroup makes a security-group.
func networkKind(operation string) string {
	switch operation {
	case "AllocateAddress":
		return "elastic-ip"
	case "RunInstances":
		return "instance"
	}
	var b strings.Builder
	for i, r := range strings.TrimPrefix(operation, "Create") {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// asARN gives the ARN that a text is, or that it stands for as an identifier of EC2; else nothing.
func (s *Simulator) asARN(text string) string {
	if strings.HasPrefix(text, "arn:") {
		return text
	}
	prefix, rest, ok := strings.Cut(text, "-")
	kind := map[string]string{
		"sg": "security-group", "vpc": "vpc", "subnet": "subnet", "eni": "network-interface", "i": "instance", "igw": "internet-gateway",
		"rtb": "route-table", "eipalloc": "elastic-ip", "sgr": "security-group-rule", "pl": "prefix-list",
	}[prefix]
	if !ok || kind == "" || strings.Trim(rest, "0123456789abcdef") != "" {
		return ""
	}
	return s.account.ARN("ec2", kind+"/"+text)
}

// keys gives the condition keys of a call, in small letters.
func (s *Simulator) keys(p permission, in any) map[string][]string {
	service, _, _ := strings.Cut(p.action, ":")
	keys := map[string][]string{
		"aws:requestedregion": {s.options.Region}, "aws:principalaccount": {s.options.Account},
		"aws:securetransport": {"false"},
	}
	add := func(key, value string) { keys[strings.ToLower(key)] = append(keys[strings.ToLower(key)], value) }
	for k, v := range shape.Tags(in) {
		add("aws:RequestTag/"+k, v)
		add("aws:TagKeys", k)
	}
	for _, k := range shape.TagKeys(in) {
		add("aws:TagKeys", k)
	}
	for k, v := range s.tags.TagsOf(p.resource) {
		add("aws:ResourceTag/"+k, v)
		add(service+":ResourceTag/"+k, v)
	}
	if p.creating != "" {
		add(service+":CreateAction", p.creating)
	}
	for field, text := range shape.Named(in) {
		if field == "AWSServiceName" {
			add("iam:AWSServiceName", text)
		}
	}
	return keys
}

// denied gives the error of a service for a call that the policy does not allow. Messages as AWS's, without the encoded part.
func denied(protocol wire.Protocol, caller string, p permission, d policy.Decision) *wire.Error {
	why := "because no identity-based policy allows the " + p.action + " action"
	if d == policy.Denied {
		why = "with an explicit deny in an identity-based policy"
	}
	text := "User: " + caller + " is not authorized to perform: " + p.action + " on resource: " + p.resource + " " + why
	switch protocol.(type) {
	case wire.EC2:
		return wire.Errorf("UnauthorizedOperation", "You are not authorized to perform this operation. %s.", text).WithStatus(http.StatusForbidden)
	case wire.JSON:
		return wire.Errorf("AccessDeniedException", "%s", text)
	case wire.RESTJSON:
		return wire.Errorf("AccessDeniedException", "%s", text).WithStatus(http.StatusForbidden)
	default:
		return wire.Errorf("AccessDenied", "%s", text).WithStatus(http.StatusForbidden)
	}
}
