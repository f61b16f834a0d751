package elb_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// row is one call of an operation and the code that AWS answers; the empty code is success.
type row struct {
	operation, code, why string
	call                 func(w *world) error
	options              func(o *elb.Options)
}

// documented gives the error codes that the API model has for each operation.
func documented() map[string]string {
	return map[string]string{
		"AddListenerCertificates":  "CertificateNotFound ListenerNotFound TooManyCertificates",
		"AddTags":                  "DuplicateTagKeys ListenerNotFound LoadBalancerNotFound RuleNotFound TargetGroupNotFound TooManyTags TrustStoreNotFound",
		"AddTrustStoreRevocations": "InvalidRevocationContent RevocationContentNotFound TooManyTrustStoreRevocationEntries TrustStoreNotFound",
		"CreateListener": "ALPNPolicyNotFound CertificateNotFound DuplicateListener IncompatibleProtocols InvalidConfigurationRequest " +
			"InvalidLoadBalancerAction LoadBalancerNotFound SSLPolicyNotFound TargetGroupAssociationLimit TargetGroupNotFound TooManyActions " +
			"TooManyCertificates TooManyListeners TooManyRegistrationsForTargetId TooManyTags TooManyTargets " +
			"TooManyUniqueTargetGroupsPerLoadBalancer TrustStoreNotFound TrustStoreNotReady UnsupportedProtocol",
		"CreateLoadBalancer": "AllocationIdNotFound AvailabilityZoneNotSupported DuplicateLoadBalancerName DuplicateTagKeys " +
			"InvalidConfigurationRequest InvalidScheme InvalidSecurityGroup InvalidSubnet OperationNotPermitted ResourceInUse SubnetNotFound " +
			"TooManyLoadBalancers TooManyTags",
		"CreateRule": "IncompatibleProtocols InvalidConfigurationRequest InvalidLoadBalancerAction ListenerNotFound PriorityInUse " +
			"TargetGroupAssociationLimit TargetGroupNotFound TooManyActions TooManyRegistrationsForTargetId TooManyRules TooManyTags " +
			"TooManyTargetGroups TooManyTargets TooManyUniqueTargetGroupsPerLoadBalancer UnsupportedProtocol",
		"CreateTargetGroup": "DuplicateTargetGroupName InvalidConfigurationRequest TooManyTags TooManyTargetGroups",
		"CreateTrustStore": "CaCertificatesBundleNotFound DuplicateTagKeys DuplicateTrustStoreName InvalidCaCertificatesBundle TooManyTags " +
			"TooManyTrustStores",
		"DeleteListener":                    "ListenerNotFound ResourceInUse",
		"DeleteLoadBalancer":                "LoadBalancerNotFound OperationNotPermitted ResourceInUse",
		"DeleteRule":                        "OperationNotPermitted RuleNotFound",
		"DeleteSharedTrustStoreAssociation": "AssociationNotFound DeleteAssociationSameAccount TrustStoreNotFound",
		"DeleteTargetGroup":                 "ResourceInUse",
		"DeleteTrustStore":                  "TrustStoreInUse TrustStoreNotFound",
		"DeregisterTargets":                 "InvalidTarget TargetGroupNotFound",
		"DescribeAccountLimits":             "",
		"DescribeCapacityReservation":       "LoadBalancerNotFound",
		"DescribeListenerAttributes":        "ListenerNotFound",
		"DescribeListenerCertificates":      "ListenerNotFound",
		"DescribeListeners":                 "ListenerNotFound LoadBalancerNotFound UnsupportedProtocol",
		"DescribeLoadBalancerAttributes":    "LoadBalancerNotFound",
		"DescribeLoadBalancers":             "LoadBalancerNotFound",
		"DescribeRules":                     "ListenerNotFound RuleNotFound UnsupportedProtocol",
		"DescribeSSLPolicies":               "SSLPolicyNotFound",
		"DescribeTags":                      "ListenerNotFound LoadBalancerNotFound RuleNotFound TargetGroupNotFound TrustStoreNotFound",
		"DescribeTargetGroupAttributes":     "TargetGroupNotFound",
		"DescribeTargetGroups":              "LoadBalancerNotFound TargetGroupNotFound",
		"DescribeTargetHealth":              "HealthUnavailable InvalidTarget TargetGroupNotFound",
		"DescribeTrustStoreAssociations":    "TrustStoreNotFound",
		"DescribeTrustStoreRevocations":     "RevocationIdNotFound TrustStoreNotFound",
		"DescribeTrustStores":               "TrustStoreNotFound",
		"GetResourcePolicy":                 "ResourceNotFound",
		"GetTrustStoreCaCertificatesBundle": "TrustStoreNotFound",
		"GetTrustStoreRevocationContent":    "RevocationIdNotFound TrustStoreNotFound",
		"ModifyCapacityReservation": "CapacityDecreaseRequestLimitExceeded CapacityReservationPending CapacityUnitsLimitExceeded " +
			"InsufficientCapacity InvalidConfigurationRequest LoadBalancerNotFound OperationNotPermitted PriorRequestNotComplete",
		"ModifyIpPools": "LoadBalancerNotFound",
		"ModifyListener": "ALPNPolicyNotFound CertificateNotFound DuplicateListener IncompatibleProtocols InvalidConfigurationRequest " +
			"InvalidLoadBalancerAction ListenerNotFound SSLPolicyNotFound TargetGroupAssociationLimit TargetGroupNotFound TooManyActions " +
			"TooManyCertificates TooManyListeners TooManyRegistrationsForTargetId TooManyTargets TooManyUniqueTargetGroupsPerLoadBalancer " +
			"TrustStoreNotFound TrustStoreNotReady UnsupportedProtocol",
		"ModifyListenerAttributes":     "InvalidConfigurationRequest ListenerNotFound",
		"ModifyLoadBalancerAttributes": "InvalidConfigurationRequest LoadBalancerNotFound",
		"ModifyRule": "IncompatibleProtocols InvalidLoadBalancerAction OperationNotPermitted RuleNotFound TargetGroupAssociationLimit " +
			"TargetGroupNotFound TooManyActions TooManyRegistrationsForTargetId TooManyTargets TooManyUniqueTargetGroupsPerLoadBalancer " +
			"UnsupportedProtocol",
		"ModifyTargetGroup":           "InvalidConfigurationRequest TargetGroupNotFound",
		"ModifyTargetGroupAttributes": "InvalidConfigurationRequest TargetGroupNotFound",
		"ModifyTrustStore":            "CaCertificatesBundleNotFound InvalidCaCertificatesBundle TrustStoreNotFound",
		"RegisterTargets":             "InvalidTarget TargetGroupNotFound TooManyRegistrationsForTargetId TooManyTargets",
		"RemoveListenerCertificates":  "ListenerNotFound OperationNotPermitted",
		"RemoveTags":                  "ListenerNotFound LoadBalancerNotFound RuleNotFound TargetGroupNotFound TooManyTags TrustStoreNotFound",
		"RemoveTrustStoreRevocations": "RevocationIdNotFound TrustStoreNotFound",
		"SetIpAddressType":            "InvalidConfigurationRequest InvalidSubnet LoadBalancerNotFound",
		"SetRulePriorities":           "OperationNotPermitted PriorityInUse RuleNotFound",
		"SetSecurityGroups":           "InvalidConfigurationRequest InvalidSecurityGroup LoadBalancerNotFound",
		"SetSubnets": "AllocationIdNotFound AvailabilityZoneNotSupported CapacityReservationPending InvalidConfigurationRequest InvalidSubnet " +
			"LoadBalancerNotFound SubnetNotFound",
	}
}

// never gives the documented codes that the simulator does not answer, and why.
func never() map[string]string {
	const protocol = "AWS was seen to answer ValidationError for a protocol that does not fit the load balancer"
	const fault = "a fault of AWS itself: it can be injected into any call"
	return map[string]string{
		"CreateListener UnsupportedProtocol": protocol, "CreateRule UnsupportedProtocol": protocol, "DescribeListeners UnsupportedProtocol": protocol,
		"DescribeRules UnsupportedProtocol": protocol, "ModifyListener UnsupportedProtocol": protocol, "ModifyRule UnsupportedProtocol": protocol,
		"DescribeTargetHealth HealthUnavailable": fault, "ModifyCapacityReservation InsufficientCapacity": fault,
		"ModifyCapacityReservation CapacityReservationPending": "PriorRequestNotComplete says the same",
		"CreateLoadBalancer OperationNotPermitted":             "no account here is restricted",
		"DeleteLoadBalancer LoadBalancerNotFound":              "documented to succeed",
		"ModifyListener TooManyListeners":                      "a change adds no listener",
	}
}

func contract() []row {
	return slices.Concat(balancerRows(), listenerRows(), ruleRows(), groupRows(), trustRows(), tagRows())
}

func TestContract(t *testing.T) {
	t.Parallel()
	for _, r := range contract() {
		t.Run(r.operation+"/"+r.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *elb.Options) {
				if r.options != nil {
					r.options(o)
				}
			})
			if got := r.call(w); codeOf(got) != r.code {
				t.Errorf("got %v, want code %q", got, r.code)
			}
		})
	}
}

// TestContractIsWhole demands of the table of calls a success and each documented error of each operation of the SDK's client.
func TestContractIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range contract() {
		seen[r.operation+" "+r.code] = true
	}
	left := never()
	for name, codes := range documented() {
		if !seen[name+" "] {
			t.Errorf("no row has %s succeed", name)
		}
		for code := range strings.FieldsSeq(codes) {
			pair := name + " " + code
			if seen[pair] == (left[pair] != "") {
				t.Errorf("%s: row %v, and why there is none: %q", pair, seen[pair], left[pair])
			}
			delete(left, pair)
		}
	}
	for pair := range left {
		t.Errorf("%s is not documented", pair)
	}
}

// operations lists the operations of the SDK's client.
func operations() []string {
	var all []string
	for m := range reflect.TypeFor[*sdk.Client]().Methods() {
		const parameters = 4
		if m.Type.NumIn() == parameters && m.Type.IsVariadic() && strings.HasSuffix(m.Type.In(2).String(), m.Name+"Input") {
			all = append(all, m.Name)
		}
	}
	return all
}

func TestEveryOperationOfTheClient(t *testing.T) {
	t.Parallel()
	want := operations()
	if len(want) < 51 {
		t.Fatalf("the SDK's client has %d operations only", len(want))
	}
	for why, got := range map[string][]string{
		"the service":   slices.Sorted(maps.Keys(newWorld(t).state.Service().Operations)),
		"the checks":    slices.Sorted(maps.Keys(elb.Checks())),
		"the documents": slices.Sorted(maps.Keys(documented())),
	} {
		if !slices.Equal(want, got) {
			t.Errorf("%s: operations\n%v\nwant\n%v", why, got, want)
		}
	}
}
