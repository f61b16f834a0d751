package annotations

// keyRow is a key with values that it takes and that it does not.
type keyRow = struct {
	key       string
	good, bad []string
	why       string
}

// frontendRows are those of the network load balancer in front.
func frontendRows() []keyRow {
	numbers := []string{"", "x", "1.5"}
	return []keyRow{
		{FrontendEnabled, []string{"true", "false"}, []string{"", "yes"}, "a boolean"},
		{FrontendScheme, []string{"internal", "internet-facing"}, []string{"", "public"}, "two schemes"},
		{FrontendSubnets, []string{"subnet-1, web"}, nil, "IDs or names"},
		{FrontendSecurityGroups, []string{"sg-1, web"}, nil, "IDs or names"},
		{FrontendPorts, []string{"8080=80, 8443=443"}, []string{"80", "0=80", "80=x", "65536=80"}, "ports on both sides"},
		{FrontendTags, []string{"a=b"}, []string{"aws:x=y", "elbv2.k8s.aws/cluster=other"}, "the rules of tags"},
		{FrontendAllocations, []string{"eipalloc-1, eipalloc-2"}, []string{"198.51.100.7", "eipalloc-1,x"}, "allocation IDs"},
		{FrontendAttributes, []string{"deletion_protection.enabled=true"}, []string{"x"}, "pairs"},
		{FrontendHealthPort, []string{"traffic-port", "8080"}, []string{"", "web", "0"}, "a load balancer has no named ports"},
		{FrontendHealthProtocol, []string{"HTTP", "HTTPS"}, []string{"", "TCP"}, "what AWS takes for a load balancer as target"},
		{FrontendHealthPath, []string{"/", "/ready"}, []string{"", "ready"}, "a path"},
		{FrontendHealthInterval, []string{"5", "300"}, append(numbers, "4", "301"), "AWS's bounds"},
		{FrontendHealthTimeout, []string{"2", "120"}, append(numbers, "1", "121"), "AWS's bounds"},
		{FrontendHealthyThreshold, []string{"2", "10"}, append(numbers, "1", "11"), "AWS's bounds"},
		{FrontendUnhealthyThreshold, []string{"2", "10"}, append(numbers, "1", "11"), "AWS's bounds"},
		{FrontendSuccessCodes, []string{"200", "200-299,404"}, []string{"", "ok"}, "codes"},
	}
}
