package waf

import (
	"slices"
	"strings"
)

// Balancers knows the load balancers of the account.
type Balancers interface {
	// Balancer gives the state of a load balancer, as in "active". It reports false if there is none with this ARN.
	Balancer(arn string) (state string, ok bool)
}

// associations says which web ACL a resource has.
type associations struct {
	balancers Balancers
	held      map[string]string
}

// resource is what is known of a resource that a call names.
type resource int

// What a resource can be: no resource at all, one of a kind that has no web ACLs, one that does not exist, one in the making, one that can be used.
const (
	malformed resource = iota
	unfit
	absent
	unready
	ready
)

// look says what a resource is. Of the kinds that AWS takes, only application load balancers can exist here.
func (a *associations) look(arn string) resource {
	const parts = 6
	fields := strings.SplitN(arn, ":", parts)
	if len(fields) < parts || fields[0] != "arn" {
		return malformed
	}
	kinds := map[string]string{
		"elasticloadbalancing": "loadbalancer/app/", "apigateway": "/restapis/", "appsync": "apis/", "cognito-idp": "userpool/",
		"apprunner": "service/", "ec2": "verified-access-instance/", "amplify": "apps/",
	}
	kind, known := kinds[fields[2]]
	if !known || !strings.HasPrefix(fields[5], kind) {
		return unfit
	}
	switch state, ok := a.balancers.Balancer(arn); {
	case !ok:
		return absent
	case state == "active":
		return ready
	default:
		return unready
	}
}

// sweep drops the associations of load balancers that are gone.
func (a *associations) sweep() {
	for arn := range a.held {
		a.of(arn)
	}
}

// of gives the web ACL of a resource, or "". When the resource is gone, so is its association.
func (a *associations) of(resource string) string {
	acl, ok := a.held[resource]
	if !ok {
		return ""
	}
	if _, exists := a.balancers.Balancer(resource); !exists {
		delete(a.held, resource)
		return ""
	}
	return acl
}

// resources gives the resources of a web ACL in the order of their ARNs.
func (a *associations) resources(acl string) []string {
	all := []string{}
	for resource, has := range a.held {
		if has == acl && a.of(resource) == acl {
			all = append(all, resource)
		}
	}
	slices.Sort(all)
	return all
}
