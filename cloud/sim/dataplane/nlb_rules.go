package dataplane

func networkFacts() []Fact {
	const listeners, groups, checks = "NLB guide: listeners", "NLB guide: target groups", "NLB guide: health checks"
	return []Fact{
		{"A TCP listener joins client and target and hands on the end of each direction.", listeners, "TestNLBCarriesConnections"},
		{"Without a target, or with one that refuses, the client is reset. It may have been connected for a moment, because the system accepts first.",
			"NLB guide; the moment is ours", "TestNLBResetsWithoutTarget"},
		{"A target's reset reaches the client, and the other way round.", "believed", "TestNLBPassesResetsOn"},
		{"Weights share new flows between target groups; a group with weight 0 gets none, and what was begun stays.", listeners, "TestNLBWeights"},
		{"Connections are spread by a hash; stickiness source_ip keeps an address at its target as long as the targets stay.",
			groups + ": sticky sessions", "TestNLBSpreadsConnectionsAndKeepsClients"},
		{"A target sees the address of the client if it is preserved, otherwise that of the load balancer. The client's port is not preserved, an address " +
			"that is not of the loopback block neither, and a target that is its own client is served, which AWS does not.",
			groups + ": client IP preservation", "TestNLBClientAddresses"},
		{"Rules tell clients of IPv4 from those of IPv6; nothing else.", "API reference: SourceIpConditionConfig", "TestNLBRulesByFamily"},
		{"A TCP connection on which nothing moves ends after tcp.idle_timeout.seconds, one of TLS after 350 s. Both ends are reset at once; on AWS it is " +
			"the next packet that is.", "API reference: ListenerAttribute", "TestNLBIdleConnectionsEnd"},
		{"Connections go on when their listener changes or goes, the latter for a minute.", "NLB guide: listeners; the minute is ours",
			"TestNLBListenersChange"},
		{"A target of type alb is the listener of an application load balancer.", groups + ": ALB as target", "TestALBBehindNLB"},
		{"A TLS listener ends TLS by security policy and SNI certificates; targets speak TCP, or TLS with any certificate.", "NLB guide: TLS listeners",
			"TestNLBTerminatesTLS"},
		{"ALPN policies have their order of preference; a client with nothing in common is refused.", "NLB guide: ALPN policies; refusal believed",
			"TestNLBALPN"},
		{"Access logs of network load balancers have a line for each connection to a TLS listener.", "NLB guide: access logs", "TestNLBAccessLogs"},
		{"A TLS target is offered the protocol that was agreed on with the client.", "believed", "TestNLBOffersTargetsWhatWasAgreedOn"},
		{"Proxy protocol v2 tells TCP and TLS targets addresses and ports as the client sees them, before TLS, with a checksum; probes begin with LOCAL. " +
			"Datagrams have no header.", groups + ": proxy protocol; checksum believed", "TestNLBProxyProtocol"},
		{"UDP, and QUIC as UDP, passes in both directions; server IDs in QUIC connection IDs are not looked at.", listeners, "TestNLBCarriesDatagrams"},
		{"A flow of datagrams stays with its target, whatever targets come.", listeners, "TestNLBFlowsOfDatagramsStay"},
		{"A flow of datagrams is forgotten after 120 s of silence.", "NLB guide; duration believed", "TestNLBFlowsOfDatagramsEnd"},
		{"A port remembers 4096 flows of datagrams, then forgets the one that was silent longest.", "ours: memory is bounded",
			"TestNLBRemembersABoundedNumberOfFlows"},
		{"A datagram for which there is no target is lost.", "believed", "TestNLBWithoutTargetLosesDatagrams"},
		{"A target that drains keeps its flows. At the end they go on, or are cut if connection_termination is on.",
			groups + ": deregistration delay", "TestNLBDeregistration"},
		{"Flows of a target that turns unhealthy are cut, unless that is off or it still takes new ones; with a draining interval it is " +
			"unhealthy.draining first, and cut then.", groups + ": unhealthy targets; the cut after the interval is believed", "TestNLBUnhealthyTargets"},
		{"A new target needs as many successes as one that was unhealthy.", "believed", "TestNLBThresholds"},
		{"Probes of TCP, HTTP and HTTPS; the latter ask for address and port of the listener. No failures are concluded from traffic.",
			checks, "TestNLBProbes"},
		{"When too few targets are healthy, all get flows.", checks, "TestNLBFailsOpen"},
		{"Without cross-zone balancing a flow stays in the zone it came to; zones without healthy targets get none unless all are so.",
			"NLB guide: cross-zone load balancing", "TestNLBZones"},
	}
}
