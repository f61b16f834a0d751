package fabric

import "github.com/headgate/headgate/cloud/sim/dataplane"

// Rules lists what the fabric does as VPC Lattice does, and where it can not. It is what the reference is written from.
//
//nolint:gochecknoglobals // a table
var Rules = []dataplane.Fact{
	fact("Clients in a VPC that is associated with a service network find the network's services at one address. Here each association has a loopback "+
		"address, which says which VPC a client is in; on AWS all have 169.254.171.0/24, and the network of the packet says it.",
		"VPC Lattice guide: VPC associations; the address is ours", "TestServicesByHost"),
	fact("Without an association there is nobody who answers, and what was open is cut when it goes.", "VPC Lattice guide; the cut is believed",
		"TestWithoutAssociationNobodyAnswers"),
	fact("HTTP is for the service that the Host names, by its custom domain name or the one that AWS gave; what names none gets 404, CONNECT 400. One "+
		"label may be a wildcard in a custom domain name.", "VPC Lattice guide; both answers and the wildcard are believed", "TestServicesByHost"),
	fact("TLS is for the service that SNI names; one that names none is reset. Versions 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. The Host does not count "+
		"then.", "VPC Lattice guide: HTTPS listeners; the reset is believed", "TestTLS"),
	fact("The name that AWS gave is served with a certificate of AWS (here one that signed itself), a custom domain name with the owner's, or with none.",
		"VPC Lattice guide: HTTPS listeners", "TestTLS"),
	fact("Rules are evaluated by priority, the default rule last. All of a match must fit: method with its case; path without query, exact or a prefix "+
		"of text; headers exact, prefix or contained, any line of them. Case counts in paths and headers only where it is said.",
		"API reference: HttpMatch; user guide: listener rules; several lines believed", "TestMatches"),
	fact("A path is compared as it was sent, encoded or not.", "believed", "TestMatches"),
	fact("Weights share requests, one at a time, and do not fail over.", "VPC Lattice guide: listener rules; failing over believed", "TestWeights"),
	fact("Fixed responses have a status and no body.", "believed", "TestServicesByHost"),
	fact("Only healthy targets get requests, each in turn; without any the answer is 503.", "VPC Lattice guide; the turn and 503 are reported by users",
		"TestHealth"),
	fact("Targets get x-forwarded-for (appended to), x-forwarded-for-port (of the listener), x-forwarded-for-proto, x-amzn-lattice-network, "+
		"x-amzn-lattice-target and x-amzn-requestid; what clients say of themselves in x-amzn-lattice headers is taken away. Host, path and the rest "+
		"stay as they were.", "VPC Lattice guide: HTTP targets; appending believed", "TestRequestHeaders"),
	fact("There are no WebSockets: an upgrade is a plain request.", "VPC Lattice guide: listeners; the plain request believed", "TestRequestHeaders"),
	fact("Protocols of listeners and targets need not be the same: HTTP/1.1, HTTP/2 and gRPC are turned into each other.", "VPC Lattice guide: listeners",
		"TestProtocolsMeet"),
	fact("gRPC passes with its streams, metadata and statuses.", "VPC Lattice guide: protocol version", "TestGRPC"),
	fact("TLS_PASSTHROUGH joins client and target by the custom domain name in SNI and adds nothing; policies are asked whether it may connect.",
		"VPC Lattice guide: TLS listeners", "TestPassthrough"),
	fact("Where the auth type is AWS_IAM, network and service must both allow an anonymous request, and no policy denies all; the answer is 403 with "+
		"AccessDeniedException.", "VPC Lattice guide: auth policies; words reported by users", "TestAuthPolicies"),
	fact("Signatures are not verified: who signs is refused where a policy is asked. So is everybody by a policy that cannot be evaluated.",
		"ours: it closes", "TestAuthPolicies"),
	fact("A target that hangs up is 502, one that says nothing for the idle timeout of a minute 504.", "believed", "TestTargetsThatFail"),
	fact("A target that drains gets no more requests and ends those that it has; after its time they are cut.", "VPC Lattice guide: register targets",
		"TestDraining"),
	fact("A connection on which nothing moves ends after a minute, any other one after ten.", "VPC Lattice guide: quotas", "TestTimesEnd"),
}

func fact(rule, source, test string) dataplane.Fact {
	return dataplane.Fact{Rule: rule, Source: source, Test: test}
}
