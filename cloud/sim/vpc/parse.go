package vpc

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// parsePermissions takes permissions apart into rules with one peer each.
func (n *Network) parsePermissions(g *group, d direction, all []ec2types.IpPermission) ([]rule, error) {
	var rules []rule
	for _, p := range all {
		base, err := parsePorts(p)
		if err != nil {
			return nil, err
		}
		base.egress = d
		peers, err := n.parsePeers(g, base, p)
		if err != nil {
			return nil, err
		}
		if len(peers) == 0 {
			return nil, wire.Errorf("InvalidPermission.Malformed", "The permission has no peer: a CIDR block, group or prefix list must be specified")
		}
		rules = append(rules, peers...)
	}
	for i := range rules {
		for j := range i {
			if rules[i].same(&rules[j]) {
				return nil, wire.Errorf("InvalidParameterValue", "The same permission must not appear multiple times")
			}
		}
	}
	return rules, nil
}

// parseProtocol gives the name of a protocol as EC2 returns it.
func parseProtocol(text string) (string, error) {
	names := map[string]string{
		"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6", "-1": allProtocols, "all": allProtocols,
		"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6",
	}
	name := strings.ToLower(text)
	if known, ok := names[name]; ok {
		return known, nil
	}
	if number, err := strconv.Atoi(name); err != nil || number < 0 || number > 255 {
		return "", wire.Errorf("InvalidParameterValue", "Invalid value '%s' for IP protocol. Unknown protocol.", text)
	}
	return name, nil
}

func parsePorts(p ec2types.IpPermission) (rule, error) {
	if p.IpProtocol == nil {
		return rule{}, missing("ipProtocol")
	}
	protocol, err := parseProtocol(*p.IpProtocol)
	if err != nil {
		return rule{}, err
	}
	r := rule{protocol: protocol}
	switch protocol {
	case "tcp", "udp":
		if p.FromPort == nil || p.ToPort == nil {
			return r, wire.Errorf("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		if *p.FromPort < 0 || *p.ToPort > 65535 || *p.FromPort > *p.ToPort {
			return r, wire.Errorf("InvalidParameterValue", "Invalid value '%d-%d' for portRange.", *p.FromPort, *p.ToPort)
		}
		r.ranged, r.fromPort, r.toPort = true, *p.FromPort, *p.ToPort
	case "icmp", "icmpv6":
		r.ranged, r.fromPort, r.toPort = true, -1, -1
		if p.FromPort != nil {
			r.fromPort = *p.FromPort
		}
		if p.ToPort != nil {
			r.toPort = *p.ToPort
		}
	}
	return r, nil
}

func (n *Network) parsePeers(g *group, base rule, p ec2types.IpPermission) ([]rule, error) {
	var rules []rule
	var failed error
	add := func(description *string, set func(*rule) error) {
		r := base
		r.description = aws.ToString(description)
		if err := checkDescription(r.description); err != nil && failed == nil {
			failed = err
		}
		if err := set(&r); err != nil && failed == nil {
			failed = err
		}
		rules = append(rules, r)
	}
	for _, x := range p.IpRanges {
		add(x.Description, func(r *rule) (err error) {
			r.cidr4, err = canonical(aws.ToString(x.CidrIp), netip.Addr.Is4)
			return err
		})
	}
	for _, x := range p.Ipv6Ranges {
		add(x.Description, func(r *rule) (err error) {
			r.cidr6, err = canonical(aws.ToString(x.CidrIpv6), netip.Addr.Is6)
			return err
		})
	}
	for _, x := range p.PrefixListIds {
		add(x.Description, func(r *rule) error {
			r.prefixList = aws.ToString(x.PrefixListId)
			_, err := n.list(x.PrefixListId)
			return err
		})
	}
	for _, x := range p.UserIdGroupPairs {
		add(x.Description, func(r *rule) error { return n.checkReference(g, r, x) })
	}
	return rules, failed
}

// canonical gives a block without host bits. EC2 stores it so, and a duplicate in another spelling is still a duplicate.
func canonical(text string, family func(netip.Addr) bool) (string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !family(p.Addr()) {
		return "", wire.Errorf("InvalidParameterValue", "CIDR block %s is malformed", text)
	}
	return p.Masked().String(), nil
}

func checkPrefixList(id string) error {
	if malformedID(id, "pl") {
		return wire.Errorf("InvalidPrefixListId.Malformed", "Invalid id: \"%s\" (expecting \"pl-...\")", id)
	}
	return nil
}

func checkDescription(description string) error {
	if len(description) > maxGroupText || strings.Trim(description, groupCharacters) != "" {
		return wire.Errorf("InvalidParameterValue", "Invalid rule description. Valid descriptions are strings less than 256 characters "+
			"from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}
