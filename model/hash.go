package model

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// BuildVersion is part of every hash. It is raised when package build makes something else of the same intent, so that what
// was applied by an older version is compared with AWS again.
const BuildVersion = "1"

// ruleHashLength is the count of hex digits that a rule ID carries.
const ruleHashLength = 10

// Resource is what can be hashed.
type Resource interface {
	Stack | LoadBalancer | TargetGroup | Listener | Rule | SecurityGroup | OwnCertificate | TrustStore
}

// HashOf is the SHA-256, in hex, of a desired resource and [BuildVersion]. What is only observed (ARNs, states, priorities)
// and what is no part of a comparison (members, backends) leave it unchanged, and so does the order of sets. A listener's
// hash covers its rules.
func HashOf[T Resource](resource T) string {
	switch r := any(resource).(type) {
	case Stack:
		return digest("Stack", bareStack(r))
	case LoadBalancer:
		return digest("LoadBalancer", bareLoadBalancer(normalizeLoadBalancer(r)))
	case TargetGroup:
		return digest("TargetGroup", bareTargetGroup(r))
	case Listener:
		return digest("Listener", bareListener(form{rules: normalRules}.listener(r)))
	case Rule:
		return digest("Rule", bareRule(NormalizeRule(r)))
	case OwnCertificate:
		return digest("Certificate", bareCertificate(normalizeCertificate(r)))
	case TrustStore:
		return digest("TrustStore", bareTrustStore(r))
	case SecurityGroup:
		return digest("SecurityGroup", bareSecurityGroup(normalizeSecurityGroup(r)))
	default:
		return digest("", r)
	}
}

// RuleContentHash is ten hex digits over what a rule on the port does: conditions, actions and transforms; not its tags, and
// not its priority, so that a rule that moves keeps it.
func RuleContentHash(port int, r Rule) string { return ContentOf(r).hash(port) }

func (c Content) hash(port int) string {
	text := append(make([]byte, 0, textSize), BuildVersion+"\nrule on "...)
	text = append(strconv.AppendInt(text, int64(port), 10), '\n')
	text = appendList(text, []string{c.Conditions, c.Answer}, appendString)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:ruleHashLength/2])
}

// RuleID is the resource ID of a rule: "<port>:<content hash>".
func RuleID(port int, r Rule) string { return ContentOf(r).RuleID(port) }

// RuleID is the resource ID of a rule with the content on a port.
func (c Content) RuleID(port int) string { return strconv.Itoa(port) + ":" + c.hash(port) }

func digest(kind string, v any) string {
	sum := sha256.Sum256([]byte(BuildVersion + "\n" + kind + "\n" + encode(v)))
	return hex.EncodeToString(sum[:])
}

func bareStack(s Stack) Stack {
	s = Normal(s)
	if s.LoadBalancer != nil {
		lb := bareLoadBalancer(*s.LoadBalancer)
		s.LoadBalancer = &lb
	}
	s.SecurityGroups = mapped(s.SecurityGroups, bareSecurityGroup)
	s.TargetGroups = mapped(s.TargetGroups, bareTargetGroup)
	s.Certificates = mapped(s.Certificates, bareCertificate)
	s.TrustStores, s.Bundles = mapped(s.TrustStores, bareTrustStore), nil
	s.Listeners = mapped(s.Listeners, bareListener)
	if s.Frontend != nil {
		front := bareStack(*s.Frontend)
		s.Frontend = &front
	}
	s.Leftovers, s.Tagless = nil, false
	return s
}

func bareLoadBalancer(lb LoadBalancer) LoadBalancer {
	lb.ARN, lb.DNSName, lb.State = "", "", ""
	return lb
}

func bareSecurityGroup(g SecurityGroup) SecurityGroup {
	g.ARN = ""
	return g
}

func bareTargetGroup(g TargetGroup) TargetGroup {
	g.ARN, g.LoadBalancers, g.Behind, g.Backend = "", nil, nil, Backend{}
	return g
}

func bareListener(l Listener) Listener {
	l.ARN = ""
	l.DefaultActions = bareActions(l.DefaultActions)
	l.Rules = mapped(l.Rules, bareRule)
	return l
}

func bareRule(r Rule) Rule {
	r.ARN, r.Priority, r.Member = "", 0, ObjectRef{}
	r.Actions = bareActions(r.Actions)
	return r
}

func bareActions(actions []Action) []Action {
	return mapped(actions, func(a Action) Action {
		a = normalizeAction(a)
		if a.OIDC != nil {
			o := *a.OIDC
			o.Secret = SecretRef{} // its digest says what is in it
			a.OIDC = &o
		}
		if a.Forward == nil {
			return a
		}
		for i := range a.Forward.Groups {
			if a.Forward.Groups[i].Key != "" {
				a.Forward.Groups[i].ARN = ""
			}
		}
		return a
	})
}
