package vpc

import (
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// instanceFields are the filters of DescribeInstances. What a load balancer cannot see of an instance has no values.
func (n *Network) instanceFields() fields[*ec2types.Instance] {
	type instance = *ec2types.Instance
	known := fields[instance]{
		"instance-id":                         func(i instance) []string { return optional(i.InstanceId) },
		"instance-state-name":                 func(i instance) []string { return []string{string(i.State.Name)} },
		"instance-state-code":                 func(i instance) []string { return number(i.State.Code) },
		"instance-type":                       func(i instance) []string { return []string{string(i.InstanceType)} },
		"image-id":                            func(i instance) []string { return optional(i.ImageId) },
		"private-ip-address":                  func(i instance) []string { return optional(i.PrivateIpAddress) },
		"private-dns-name":                    func(i instance) []string { return optional(i.PrivateDnsName) },
		"vpc-id":                              func(i instance) []string { return optional(i.VpcId) },
		"subnet-id":                           func(i instance) []string { return optional(i.SubnetId) },
		"availability-zone":                   func(i instance) []string { return optional(i.Placement.AvailabilityZone) },
		"launch-time":                         func(i instance) []string { return moment(i.LaunchTime) },
		"reservation-id":                      func(i instance) []string { return []string{reservationOf(i)} },
		"owner-id":                            func(instance) []string { return []string{n.account.ID} },
		"metadata-options.http-tokens":        func(i instance) []string { return []string{string(i.MetadataOptions.HttpTokens)} },
		"metadata-options.http-endpoint":      func(i instance) []string { return []string{string(i.MetadataOptions.HttpEndpoint)} },
		"metadata-options.http-protocol-ipv6": func(i instance) []string { return []string{string(i.MetadataOptions.HttpProtocolIpv6)} },
		"metadata-options.state":              func(i instance) []string { return []string{string(i.MetadataOptions.State)} },
		"metadata-options.instance-metadata-tags": func(i instance) []string {
			return []string{string(i.MetadataOptions.InstanceMetadataTags)}
		},
		"metadata-options.http-put-response-hop-limit": func(i instance) []string { return number(i.MetadataOptions.HttpPutResponseHopLimit) },
	}
	n.addGroupFilters(known)
	return known.none(strings.Fields(unseen)...)
}

// unseen are filters by attributes that the instances here do not have.
const unseen = "affinity architecture availability-zone-id boot-mode capacity-reservation-id client-token dns-name ebs-optimized ena-support host-id " +
	"hypervisor iam-instance-profile.arn iam-instance-profile.id instance-lifecycle kernel-id key-name launch-index monitoring-state outpost-arn " +
	"placement-group-name platform platform-details product-code ramdisk-id reason requester-id root-device-name root-device-type " +
	"spot-instance-request-id state-reason-code tenancy virtualization-type"

// addGroupFilters adds the filters by security groups and by the interfaces of an instance, which are those of the interfaces themselves.
func (n *Network) addGroupFilters(known fields[*ec2types.Instance]) {
	through := func(read func(*networkInterface) []string) func(*ec2types.Instance) []string {
		return func(i *ec2types.Instance) []string {
			var all []string
			for _, face := range n.facesOf(*i.InstanceId) {
				all = append(all, read(face)...)
			}
			return all
		}
	}
	for name, read := range interfaceFields() {
		known["network-interface."+name] = through(read)
	}
	own := interfaceFields()
	known["instance.group-id"], known["instance.group-name"] = through(own["group-id"]), through(own["group-name"])
	known["ip-address"], known["ipv6-address"] = through(own["association.public-ip"]), through(own["ipv6-addresses.ipv6-address"])
	known["source-dest-check"] = through(own["source-dest-check"])
}

// facesOf gives the interfaces that are attached to an instance.
func (n *Network) facesOf(instance string) []*networkInterface {
	var all []*networkInterface
	for _, i := range n.interfaces.All() {
		if i.Attachment != nil && i.Attachment.InstanceId != nil && *i.Attachment.InstanceId == instance {
			all = append(all, i)
		}
	}
	return all
}

func reservationOf(i *ec2types.Instance) string {
	return "r-" + strings.TrimPrefix(*i.InstanceId, "i-")
}
