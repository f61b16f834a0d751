package fabric

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/headgate/headgate/cloud/sim/policy"
)

// gate is an auth policy at work.
type gate struct {
	// kind is how answers call the policy: network or service.
	kind string
	// document is nil where there is no policy, or none that can be evaluated: then nobody gets in.
	document *policy.Document
}

// gates gives what a client has to pass: the policies of those that ask for it.
func gates(network, service Auth) []gate {
	var all []gate
	for _, one := range []struct {
		kind string
		auth Auth
	}{{"network", network}, {"service", service}} {
		if !one.auth.Required {
			continue
		}
		g := gate{kind: one.kind}
		if d, err := policy.ParseResource([]byte(one.auth.Policy)); err == nil {
			g.document = d
		}
		all = append(all, g)
	}
	return all
}

// signed reports whether a request says who sends it.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.URL.Query().Has("X-Amz-Signature")
}

// Actions of auth policies.
const (
	invoke  = "vpc-lattice-svcs:Invoke"
	connect = "vpc-lattice-svcs:Connect"
)

// keys are the condition keys that every client has.
func (f *front) keys() map[string][]string {
	return map[string][]string{
		"vpc-lattice-svcs:port": {strconv.Itoa(f.port)}, "vpc-lattice-svcs:servicearn": {f.service.ARN},
		"vpc-lattice-svcs:servicenetworkarn": {f.entrance.NetworkARN}, "vpc-lattice-svcs:sourcevpc": {f.entrance.VPC},
		"vpc-lattice-svcs:sourcevpcowneraccount": {f.entrance.Owner}, "aws:principaltype": {"Anonymous"},
	}
}

// admits evaluates the policies on an anonymous request. It gives the words of the answer to one that is refused, else an empty text. Who
// signs is refused wherever a policy is asked: signatures are not verified, and a bad one does not pass as anonymous on AWS either.
func (f *front) admits(r *http.Request) string {
	if len(f.gates) == 0 {
		return ""
	}
	resource := f.service.ARN + r.URL.EscapedPath()
	if signed(r) {
		return "AccessDeniedException: The signature of the request cannot be verified"
	}
	keys := f.keys()
	keys["vpc-lattice-svcs:requestmethod"] = []string{r.Method}
	keys["vpc-lattice-svcs:requestpath"] = []string{r.URL.EscapedPath()}
	for name, values := range r.Header {
		keys["vpc-lattice-svcs:requestheader/"+strings.ToLower(name)] = values
	}
	for name, values := range r.URL.Query() {
		key := "vpc-lattice-svcs:requestquerystring/" + strings.ToLower(name)
		keys[key] = append(keys[key], values...)
	}
	return f.decide(policy.Call{Action: invoke, Resource: resource, Keys: keys})
}

// decide asks each policy in turn: every one has to allow the call.
func (f *front) decide(c policy.Call) string {
	refused := "AccessDeniedException: User: anonymous is not authorized to perform: " + c.Action + " on resource: " + c.Resource
	for _, g := range f.gates {
		decision := policy.NotAllowed
		if g.document != nil {
			decision = g.document.Decide(c)
		}
		switch decision {
		case policy.Denied:
			return refused + " with an explicit deny in a " + g.kind + "-based policy"
		case policy.NotAllowed:
			return refused + " because no " + g.kind + "-based policy allows the " + c.Action + " action"
		case policy.Allowed:
		}
	}
	return ""
}
