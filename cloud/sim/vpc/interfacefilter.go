package vpc

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// interfaceFields are the filters of DescribeNetworkInterfaces.
func interfaceFields() fields[*networkInterface] {
	type face = *networkInterface
	all := fields[face]{
		"network-interface-id": func(i face) []string { return optional(i.NetworkInterfaceId) },
		"private-ip-address":   func(i face) []string { return optional(i.PrivateIpAddress) },
		"private-dns-name":     func(i face) []string { return optional(i.PrivateDnsName) },
		"subnet-id":            func(i face) []string { return optional(i.SubnetId) },
		"vpc-id":               func(i face) []string { return optional(i.VpcId) },
		"availability-zone":    func(i face) []string { return optional(i.AvailabilityZone) },
		"availability-zone-id": func(i face) []string { return optional(i.AvailabilityZoneId) },
		"description":          func(i face) []string { return optional(i.Description) },
		"interface-type":       func(i face) []string { return []string{string(i.InterfaceType)} },
		"status":               func(i face) []string { return []string{string(i.Status)} },
		"requester-id":         func(i face) []string { return optional(i.RequesterId) },
		"requester-managed":    func(i face) []string { return flag(i.RequesterManaged) },
		"owner-id":             func(i face) []string { return optional(i.OwnerId) },
		"mac-address":          func(i face) []string { return optional(i.MacAddress) },
		"source-dest-check":    func(i face) []string { return flag(i.SourceDestCheck) },
		"group-id": func(i face) []string {
			return each(i.Groups, func(g ec2types.GroupIdentifier) *string { return g.GroupId })
		},
		"group-name": func(i face) []string {
			return each(i.Groups, func(g ec2types.GroupIdentifier) *string { return g.GroupName })
		},
		"ipv6-addresses.ipv6-address": func(i face) []string {
			return each(i.Ipv6Addresses, func(a ec2types.NetworkInterfaceIpv6Address) *string { return a.Ipv6Address })
		},
	}
	addAddressFields(all)
	addAttachmentFields(all)
	return all.none("operator.managed", "operator.principal")
}

// addAddressFields adds the filters by private addresses and what is associated with them.
func addAddressFields(all fields[*networkInterface]) {
	type address = ec2types.NetworkInterfacePrivateIpAddress
	addresses := func(read func(address) *string) func(*networkInterface) []string {
		return func(i *networkInterface) []string { return each(i.PrivateIpAddresses, read) }
	}
	associations := func(read func(ec2types.NetworkInterfaceAssociation) *string) func(*networkInterface) []string {
		return addresses(func(a address) *string {
			if a.Association == nil {
				return nil
			}
			return read(*a.Association)
		})
	}
	ip := associations(func(a ec2types.NetworkInterfaceAssociation) *string { return a.PublicIp })
	owner := associations(func(a ec2types.NetworkInterfaceAssociation) *string { return a.IpOwnerId })
	all["addresses.private-ip-address"] = addresses(func(a address) *string { return a.PrivateIpAddress })
	all["addresses.primary"] = addresses(func(a address) *string { return aws.String(strconv.FormatBool(aws.ToBool(a.Primary))) })
	all["addresses.association.public-ip"], all["association.public-ip"] = ip, ip
	all["addresses.association.owner-id"], all["association.ip-owner-id"] = owner, owner
	all["association.allocation-id"] = associations(func(a ec2types.NetworkInterfaceAssociation) *string { return a.AllocationId })
	all["association.association-id"] = associations(func(a ec2types.NetworkInterfaceAssociation) *string { return a.AssociationId })
	all["association.public-dns-name"] = associations(func(a ec2types.NetworkInterfaceAssociation) *string { return a.PublicDnsName })
}

func addAttachmentFields(all fields[*networkInterface]) {
	attached := func(read func(*ec2types.NetworkInterfaceAttachment) []string) func(*networkInterface) []string {
		return func(i *networkInterface) []string {
			if i.Attachment == nil {
				return nil
			}
			return read(i.Attachment)
		}
	}
	type attachment = *ec2types.NetworkInterfaceAttachment
	all["attachment.instance-id"] = attached(func(a attachment) []string { return optional(a.InstanceId) })
	all["attachment.instance-owner-id"] = attached(func(a attachment) []string { return optional(a.InstanceOwnerId) })
	all["attachment.attachment-id"] = attached(func(a attachment) []string { return optional(a.AttachmentId) })
	all["attachment.status"] = attached(func(a attachment) []string { return []string{string(a.Status)} })
	all["attachment.device-index"] = attached(func(a attachment) []string { return number(a.DeviceIndex) })
	all["attachment.delete-on-termination"] = attached(func(a attachment) []string { return flag(a.DeleteOnTermination) })
	all["attachment.attach-time"] = attached(func(a attachment) []string { return moment(a.AttachTime) })
}

// moment writes a time as filters compare it.
func moment(t *time.Time) []string {
	if t == nil {
		return nil
	}
	return []string{t.UTC().Format("2006-01-02T15:04:05.000Z")}
}
