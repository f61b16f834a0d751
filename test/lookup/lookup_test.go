package lookup

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
)

// value is something that AWS looks up, or takes, by what a user wrote.
type value struct {
	// key of the annotation that the finding names.
	key string
	// form of the setting's value, with %s for what is looked up; empty for that alone.
	form string
	// with are the settings that belong to it.
	with []string
	// malformed is what AWS takes for no name at all; absent is well-formed, and there is none; elsewhere is of another region,
	// foreign of another account. Empty where there is no such thing.
	malformed, absent, elsewhere, foreign string
	// guards says that it restricts access: what stood may be closed.
	guards bool
	// field of the finding where it is not the annotation's.
	field string
	// all are settings of every member.
	all []string
	// late says that it is not looked up: AWS refuses the call, or what comes of it, and the group is told in AWS's words.
	late bool
}

const (
	secure = `listen-ports: [{"HTTP":80},{"HTTPS":443}]`
	only   = `listen-ports: [{"HTTPS":443}]`
	here   = "us-west-2:123456789012"
	far    = "eu-west-1:123456789012"
	theirs = "us-west-2:999999999999"
)

func arns(service, resource, malformed string) value {
	of := func(at, what string) string { return "arn:aws:" + service + ":" + at + ":" + what }
	return value{malformed: of(here, malformed), absent: of(here, resource), elsewhere: of(far, resource), foreign: of(theirs, resource)}
}

func (v value) as(key, form string, with ...string) value {
	v.key, v.form, v.with = key, form, with
	return v
}

func values() []value {
	const uuid = "12345678-1234-1234-1234-123456789012"
	acl := arns("wafv2", "regional/webacl/edge/"+uuid, "regional/webacl/")
	certificate := arns("acm", "certificate/"+uuid, "certificate/%%")
	store := arns("elasticloadbalancing", "truststore/partners/0123456789abcdef", "truststore")
	group := arns("elasticloadbalancing", "targetgroup/mine/0123456789abcdef", "targetgroup")
	action := `{"type":"forward","forwardConfig":{"targetGroups":[{"%s":"%%s","weight":1}]}}`
	pool := arns("cognito-idp", "userpool/us-west-2_AbCdEfGhI", "pool")
	authority := arns("acm-pca", "certificate-authority/"+uuid, "certificate-authority/")
	mutual := `[{"port":443,"mode":"verify","trustStore":"%s"}]`
	front := "enable-frontend-nlb: true"
	iam := value{
		malformed: "arn:aws:iam::123456789012:server-certificate/", absent: "arn:aws:iam::123456789012:server-certificate/old",
		foreign: "arn:aws:iam::999999999999:server-certificate/old",
	}
	return []value{
		certificate.as("certificate-arn", "", secure),
		iam.as("certificate-arn", "", secure).refusedLate(),
		acl.as("wafv2-acl-arn", "").guard(),
		value{malformed: "a b", absent: "edge"}.as("wafv2-acl-name", "").guard(),
		value{malformed: "a b", absent: uuid}.as("waf-acl-id", "").guard(),
		value{malformed: "sg-%%", absent: "sg-0123456789abcdef0"}.as("security-groups", "").guard(),
		value{absent: "nobody"}.as("security-groups", "").guard(),
		value{malformed: "subnet-%%", absent: "subnet-0123456789abcdef0"}.as("subnets", ""),
		value{absent: "nobody"}.as("subnets", ""),
		value{malformed: "pl-%%", absent: "pl-0123456789abcdef0"}.as("security-group-prefix-lists", "").guard(),
		value{malformed: "ipam-pool-%%", absent: "ipam-pool-0123456789abcdef0"}.as("ipam-ipv4-pool-id", "").public().refusedLate(),
		value{malformed: "ipv4pool-coip-%%", absent: "ipv4pool-coip-0123456789abcdef0"}.as("customer-owned-ipv4-pool", ""),
		group.as("actions.web", fmt.Sprintf(action, "targetGroupARN")).refusedLate(),
		value{malformed: "a b", absent: "nobody"}.as("actions.web", fmt.Sprintf(action, "targetGroupName")).answered(),
		pool.as("auth-idp-cognito", `{"userPoolARN":"%s","userPoolClientID":"c","userPoolDomain":"d"}`, only, "auth-type: cognito", "certificate-arn: CERTIFICATE").
			guard().refusedLate(),
		authority.as("acm-pca-arn", "", secure, "create-acm-cert: true").refusedLate(),
		store.as("mutual-authentication", mutual, only, "certificate-arn: CERTIFICATE").guard(),
		value{malformed: "a b", absent: "partners"}.as("mutual-authentication", mutual, only, "certificate-arn: CERTIFICATE").guard(),
		value{malformed: "eipalloc-%%", absent: "eipalloc-0123456789abcdef0"}.
			as("frontend-nlb-eip-allocations", "%s,eipalloc-2,eipalloc-3", front, "frontend-nlb-scheme: internet-facing").refusedLate(),
		value{malformed: "subnet-%%", absent: "subnet-0123456789abcdef0"}.as("frontend-nlb-subnets", "", front),
		value{malformed: "sg-%%", absent: "sg-0123456789abcdef0"}.as("frontend-nlb-security-groups", "", front),
	}
}

func (v value) guard() value {
	v.guards = true
	return v
}

// answered says that what is absent is answered with 503, like a Service that is.
func (v value) answered() value {
	v.field, v.guards = "spec.rules[0].http.paths[0]", true
	return v
}

func (v value) public() value {
	v.all = []string{"scheme: internet-facing"}
	return v
}

func (v value) refusedLate() value {
	v.late = true
	return v
}

// TestNobodyElseNotices: a member of a group writes what AWS does not know; the other one goes on, and is changed, with that member
// there before and without.
func TestNobodyElseNotices(t *testing.T) {
	t.Parallel()
	for _, v := range values() {
		for kind, wrote := range map[string]string{
			malformed: v.malformed, "absent": v.absent, "of another region": v.elsewhere, "of another account": v.foreign,
		} {
			if wrote == "" {
				continue
			}
			text := strings.ReplaceAll(wrote, "%%", "nothing!")
			t.Run(v.key+" "+kind+" "+text, func(t *testing.T) {
				t.Parallel()
				v.check(t, kind, text)
			})
		}
	}
}

func (v value) check(t *testing.T, kind, text string) {
	t.Helper()
	for _, stood := range []bool{true, false} {
		s := newStage(t)
		before := member("good", "/one", "80", v.all)
		if stood {
			before += member("bad", "/held", "80", v.all)
		}
		if found, err := s.apply(before); err != nil || len(found) > 0 {
			t.Fatalf("before: %v %v", found, err)
		}
		found, err := s.apply(member("good", "/two", "80", v.all) + member("bad", "/new", v.port(), v.settings(s, text)))
		paths := s.paths()
		if !slices.Contains(paths, "80 [/two]") || slices.Contains(paths, "80 [/one]") {
			t.Errorf("the member stood before: %v: the neighbour's change is not made: %v", stood, paths)
		}
		if v.late && kind != malformed {
			continue
		}
		if err != nil || !v.told(found, text) {
			t.Errorf("the member stood before: %v: the group fails (%v), or nothing tells it of %s, naming %s: %v", stood, err, v.key, text, found)
		}
		if stood && !slices.Contains(paths, "80 [/held]") && !v.guards {
			t.Errorf("what stood of the member is gone: %v", paths)
		}
	}
}

// told tells whether a finding on the member names the annotation, or where it is used, and what was written.
func (v value) told(found []model.Finding, text string) bool {
	return slices.ContainsFunc(found, func(f model.Finding) bool {
		here := strings.HasSuffix(f.Field, v.key) || v.field != "" && f.Field == v.field
		return f.Object.Name == "bad" && here && f.Severity != model.Warning && strings.Contains(f.Message, text)
	})
}

// port of the backend: that of the Service, or that of an action.
func (v value) port() string {
	if strings.HasPrefix(v.key, "actions.") {
		return "use-annotation"
	}
	return "80"
}

const malformed = "malformed"

func (v value) settings(s *stage, text string) []string {
	out := slices.Clone(v.all)
	for _, w := range v.with {
		out = append(out, strings.ReplaceAll(w, "CERTIFICATE", s.certificate))
	}
	if v.form != "" {
		text = fmt.Sprintf(v.form, text)
	}
	return append(out, v.key+": "+text)
}
