package preview

import (
	"fmt"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Assume makes up the facts that the requests need, for a plan without an AWS account: a VPC with a public and a private subnet in each
// of three zones, and everything that the requests name or look for.
func Assume(requests []stack.Request) model.Facts {
	f := model.Facts{
		Region: "us-east-1", Account: "123456789012", VPC: model.VPC{ID: "vpc-assumed", CIDRs: []string{"10.0.0.0/16", "fd00::/56"}},
		SecurityGroups: map[string][]string{}, TargetGroups: map[string]model.ARN{}, BackendSecurityGroup: "sg-assumed-backend",
		WebACLs: map[string]model.ARN{}, TrustStores: map[string]model.ARN{}, ShieldSubscribed: true,
	}
	for _, role := range []string{"elb", "internal-elb"} {
		for zone := range zones {
			s := assumedSubnet("subnet-assumed-"+role+"-"+zoneOf(zone), zone)
			s.Public, s.Tags = role == "elb", map[string]string{"kubernetes.io/role/" + role: "1"}
			f.Subnets = append(f.Subnets, s)
		}
	}
	seen := map[string]bool{}
	for _, r := range requests {
		need := stack.Needs(r.Intent)
		for _, name := range need.SecurityGroupNames {
			f.SecurityGroups[name] = []string{"sg-assumed-" + name}
		}
		for _, name := range need.TargetGroupNames {
			f.TargetGroups[name] = model.ARN("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/" + name + "/assumed")
		}
		for _, ref := range need.WebACLs {
			f.WebACLs[ref] = assumedACL(ref)
		}
		for _, ref := range need.TrustStores {
			f.TrustStores[ref] = assumedStore(ref)
		}
		f.ClassicWebACLs = append(f.ClassicWebACLs, need.ClassicWebACLs...)
		for _, fragment := range r.Intent.Fragments {
			assumeFor(&f, fragment, seen)
		}
	}
	return f
}

const zones = 3

func zoneOf(i int) string { return "us-east-1" + string(rune('a'+i%26)) }

// assumedACL is a web ACL by its ARN or its name.
func assumedACL(ref string) model.ARN {
	if model.IsARN(ref) {
		return model.ARN(ref)
	}
	return model.ARN("arn:aws:wafv2:us-east-1:123456789012:regional/webacl/" + ref + "/assumed")
}

// assumedStore is a trust store by its ARN or its name.
func assumedStore(ref string) model.ARN {
	if model.IsARN(ref) {
		return model.ARN(ref)
	}
	return model.ARN("arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/" + ref + "/assumed")
}

func assumedSubnet(id string, zone int) model.Subnet {
	return model.Subnet{
		ID: id, Zone: zoneOf(zone), ZoneType: "availability-zone", CIDR: "10.0.0.0/20", IPv6: true, FreeAddresses: 4000, Tags: map[string]string{},
	}
}

func assumeFor(f *model.Facts, fragment intent.Fragment, seen map[string]bool) {
	for i, name := range fragment.Settings.Subnets {
		if !seen["subnet "+name] {
			seen["subnet "+name] = true
			s := assumedSubnet(name, i)
			f.Subnets = append(f.Subnets, s)
		}
	}
	if tags := fragment.Settings.SubnetTags; len(tags) > 0 {
		for zone := range zones {
			s := assumedSubnet(fmt.Sprintf("subnet-assumed-tagged-%d-%s", len(f.Subnets), zoneOf(zone)), zone)
			for k, values := range tags {
				s.Tags[k] = first(values)
			}
			f.Subnets = append(f.Subnets, s)
		}
	}
	for _, l := range fragment.Listeners {
		for _, host := range l.DiscoverHosts {
			if !seen["host "+host] {
				seen["host "+host] = true
				arn := model.ARN("arn:aws:acm:us-east-1:123456789012:certificate/assumed-" + host)
				f.Certificates = append(f.Certificates, model.Certificate{ARN: arn, Domains: []string{host}})
			}
		}
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
