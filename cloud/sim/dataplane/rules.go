package dataplane

// Fact is something that the data plane does as an AWS load balancer does.
type Fact struct {
	// Rule is what it does, in a sentence.
	Rule string
	// Source is where that is known from: a page of AWS's guides ("ALB guide: …"), the API reference, "observed", or "believed" where AWS
	// does not say and the reading chosen is the stricter one or the usual one.
	Source string
	// Test is the name of the test that holds it.
	Test string
}

// Rules lists what the data plane does. It is what the reference is written from.
//
//nolint:gochecknoglobals // a table
var Rules = concat(routingFacts(), requestFacts(), targetFacts(), securityFacts(), signInFacts(), errorFacts(), networkFacts())

func concat(lists ...[]Fact) []Fact {
	var all []Fact
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func routingFacts() []Fact {
	const listeners, api = "ALB guide: listener rules", "API reference: RuleCondition"
	return []Fact{
		{"Rules are evaluated by priority; the first whose conditions all match wins, the default rule comes last.", listeners, "TestFirstRuleWins"},
		{"Conditions: host, path, header, method, query string and source address, with wildcards; values are alternatives.", api, "TestConditions"},
		{"Regular expression values are not anchored; hosts and headers ignore case, paths do not.", "believed", "TestConditions"},
		{"The port in a Host header counts in host matching.", "believed: documents disagree, and this is the strict reading", "TestConditions"},
		{"A condition that cannot be understood never matches.", "ours: it closes", "TestConditionsThatCannotBeCompiled"},
		{"Weights share requests between target groups, and do not fail over: the share of an empty group is 503.", listeners, "TestWeightsDoNotFailOver"},
		{"Shares come true over few requests.", listeners, "TestWeights"},
		{"Redirects fill #{protocol} #{host} #{port} #{path} #{query}; Location always has the port.",
			"API reference: RedirectActionConfig; port observed", "TestRedirect"},
		{"Fixed responses are sent as they are, with a charset after the content type.", "API reference; charset believed", "TestGeneratedResponses"},
		{"Transforms rewrite host, and path with query, after the rule was chosen; without a match nothing changes, a bad result is 500.",
			"ALB guide: transforms", "TestTransforms"},
		{"A redirect is made of what the transforms leave: path and query by a prefix that is replaced, and likewise the host.",
			"guide of the AWS Load Balancer Controller, ALB Gateways: ReplacePrefixMatch of a redirect; the host believed", "TestRedirectAfterTransforms"},
		{"A transform that cannot be understood answers 500.", "ALB guide: transforms", "TestBrokenTransformRefuses"},
		{"An action that cannot be served closes: 503, and nothing behind it is reached.", "ours: it closes", "TestActionsThatCannotBeServedClose"},
	}
}

func requestFacts() []Fact {
	const headers, attributes = "ALB guide: HTTP headers", "ALB guide: load balancer attributes"
	return []Fact{
		{"A target sees the request as it was but for the headers that AWS adds, and connection headers.", headers, "TestATargetSeesTheRequestAsItWas"},
		{"X-Forwarded-For is appended to, preserved or removed, with the client's port on demand.", headers, "TestForwardedFor"},
		{"X-Amzn-Trace-Id gets a root, or our part in front of the caller's; one that is too long is replaced.", "ALB guide: request tracing", "TestTrace"},
		{"The Host header loses or gets the listener's port unless it is preserved.", attributes, "TestTargetHost"},
		{"Header names with other characters than letters, digits and hyphens are dropped on demand.", attributes, "TestInvalidHeadersAreDroppedOnDemand"},
		{"Requests are classified Compliant, Acceptable, Ambiguous or Severe; the mode says what gets through and what ends its connections. " +
			"Severe ones are refused in the mode monitor too, because they cannot be passed on.",
			"ALB guide: desync mitigation mode; access log reasons", "TestDesyncMitigation"},
		{"Each request of a connection is judged, also those sent ahead.", attributes, "TestPipelinedRequestsAreAllInspected"},
		{"Listener attributes insert response headers into all responses, and take Server away.", "ALB guide: header modification", "TestResponseHeaders"},
		{"HTTP/2 is offered to clients of HTTPS listeners unless switched off.", "ALB guide: listeners", "TestHTTP2IsOfferedUnlessSwitchedOff"},
		{"HTTP/1.1, HTTP/2 and gRPC meet target groups of each protocol version; what does not fit is 464.",
			"ALB guide: target groups", "TestProtocolMatrix"},
		{"gRPC calls pass in both directions with their trailers.", "ALB guide: target groups", "TestGRPC"},
		{"Bodies and trailers pass as they are.", "believed", "TestBodiesAndTrailersPass"},
		{"A stream passes as it comes.", "believed", "TestStreamsPassAsTheyCome"},
		{"WebSockets pass; the idle timeout ends them.", "ALB guide: listeners", "TestWebSockets"},
		{"A client's connection ends after its keep-alive time.", attributes, "TestAConnectionEndsWithItsLifetime"},
		{"Access logs have AWS's fields, file names and places; sizes are told from the parts of a message.", "ALB guide: access logs", "TestAccessLogs"},
		{"Connection logs have a line for each connection and handshake, and name why a client's certificate was refused. How the key exchange is " +
			"written is a guess.", "ALB guide: connection logs", "TestConnectionLogs"},
		{"Health check logs have a line for each probe. A refused connection counts as reset.", "ALB guide: health check logs; the latter believed",
			"TestHealthCheckLogs"},
		{"Access logs name why a gate refused, and how a request was classified.", "ALB guide: access logs", "TestAccessLogsOfWhatWentWrong"},
	}
}

func targetFacts() []Fact {
	const groups, checks = "ALB guide: target group attributes", "ALB guide: health checks"
	return []Fact{
		{"round_robin, least_outstanding_requests and weighted_random choose targets.", groups, "TestAlgorithms"},
		{"With slow start a target that becomes healthy gets a share that grows in a line, beside one that has its own.", groups, "TestSlowStart"},
		{"Targets that fail far more than others are anomalous when three are healthy; mitigation leaves them a tenth. The thresholds are ours.",
			"ALB guide: automatic target weights; numbers believed", "TestAnomaliesAreFoundAndMitigated"},
		{"Without cross-zone a request stays in the zone of its connection; an empty zone is 503. Connections come to the zones in turn.",
			groups, "TestRequestsStayInTheirZone"},
		{"A zone below its DNS threshold gets no connections unless all are; each zone fails open for itself.",
			"ALB guide: target group health", "TestZonesLeaveDNSAndFailOpen"},
		{"Healthy targets take requests, or all when fewer are healthy than the attributes ask for.",
			"ALB guide: target group health", "TestOnlyHealthyTargetsGetRequestsUnlessAllAreIll"},
		{"AWSALB and AWSALBCORS keep a client at its target for the duration.", "ALB guide: sticky sessions", "TestTargetStickiness"},
		{"AWSALBTG and AWSALBTGCORS keep a client at its target group.", "ALB guide: sticky sessions", "TestGroupStickiness"},
		{"AWSALBAPP keeps a client at its target as long as the application's cookie lives.", "ALB guide: sticky sessions", "TestApplicationStickiness"},
		{"Cookies that were made up are ignored.", "ALB guide: sticky sessions", "TestForgedCookiesAreIgnored"},
		{"Requests in flight end with the deregistration delay: 502.", groups, "TestInFlightRequestsEndWithTheDeregistrationDelay"},
		{"So do those to a target group that is deleted.", "believed: AWS does not say, and this is the worst", "TestInFlightRequestsEndWithTheirTargetGroup"},
		{"Probes look like a load balancer's.", checks, "TestAProbeLooksLikeALoadBalancers"},
		{"One success makes a new target healthy; thresholds count otherwise.", checks, "TestThresholds"},
		{"States, reasons and descriptions are those of DescribeTargetHealth.", "API reference: TargetHealth", "TestProbesFindWhatIsWrong"},
		{"Draining, unused and unchecked targets have their states without a probe.", "API reference: TargetHealth", "TestStatesThatNeedNoProbe"},
		{"gRPC probes compare the status of a call.", checks, "TestGRPCProbes"},
		{"Certificates of targets are not verified.", "ALB guide: target groups", "TestTargetsOverTLSAreNotVerified"},
	}
}

func securityFacts() []Fact {
	const mutual, sni = "ALB guide: mutual authentication", "ALB guide: SNI certificates"
	return []Fact{
		{"A certificate is chosen by server name among those that the client can use: exact name, elliptic curve, newer hash, longer key, later end.",
			sni, "TestCertificateChoice"},
		{"A certificate that was imported anew serves at once.", "believed", "TestCertificatesAreReplacedOnTheFly"},
		{"Versions, ciphers and key exchange groups are those of the security policy. Ciphers that Go lacks (CBC with SHA-384, AES256-SHA256) are not " +
			"there, and the order of ciphers is Go's.", "ALB guide: security policies", "TestPolicyIsEnforced"},
		{"A client whose TLS 1.3 ciphers are not in the policy is refused.", "ALB guide: security policies", "TestNewestCiphersAreThePolicys"},
		{"Ciphers have OpenSSL's names in headers and logs.", "API reference: load balancer attributes", "TestCipherNames"},
		{"Version and cipher are told to the target on demand, under names that can be changed.",
			"API reference: load balancer attributes", "TestTLSHeaders"},
		{"verify wants a client certificate with a chain of at most four to the trust store, of which nothing is revoked; a failure ends the handshake.",
			mutual, "TestClientsAreVerified"},
		{"X-Amzn-Mtls-Clientcert-* name a verified client; what a client says of itself is removed, names can be changed.",
			mutual, "TestVerifiedClientsAreNamed"},
		{"passthrough hands over the chain unverified, leaf first.", mutual, "TestCertificatesPassThrough"},
		{"The names of trusted authorities are sent to clients on demand.", mutual, "TestTrustedNamesAreAdvertisedOnDemand"},
	}
}

func signInFacts() []Fact {
	const users, checked = "ALB guide: authenticate users", "ALB guide: verify JWTs"
	return []Fact{
		{"Who is not signed in goes to the provider and comes back to where it wanted to go; the target learns who it is by x-amzn-oidc-*, signed ES256.",
			users, "TestSignIn"},
		{"deny answers 401, allow passes without identity, authenticate redirects; headers and cookies that a client made up count for nothing.",
			users, "TestClientsThatAreNotSignedIn"},
		{"A sign-in fails with 401 for what the client brings, 561 for what the provider says, 500 when it cannot be reached.", users, "TestSignInsThatFail"},
		{"A session lasts for its timeout; with a refresh token its claims are renewed when the access token ends.", users, "TestSessionsEndAndAreRenewed"},
		{"Sessions are cut into up to four cookies; claims and token above 11 KB are 500.", users, "TestLargeClaims"},
		{"Cognito is an OpenID Connect provider at the user pool's domain.", users, "TestCognito"},
		{"A token must be signed RS256 by a key of the set, name the issuer, be in its time and have the additional claims; otherwise 401.",
			checked + "; status believed", "TestTokens"},
		{"Key sets have at most 10 keys and 150 KB, or nothing is forwarded (500); they are kept for a while, which is ours.",
			checked + "; status believed", "TestKeySetsAreKeptAndLimited"},
	}
}

func errorFacts() []Fact {
	const errors = "ALB guide: troubleshooting"
	return []Fact{
		{"What a load balancer says itself has Server: awselb/2.0 and a small page.", "observed", "TestGeneratedResponses"},
		{"Request line 16 K (414), header 16 K and all headers 64 K (400), more than 30 addresses in X-Forwarded-For (463).", errors, "TestLimitsOfRequests"},
		{"Malformed requests are 400, unknown encodings 501, other versions of HTTP 505.", errors, "TestDesyncMitigation"},
		{"A client that stops sending is answered 408 after the idle timeout.", errors, "TestSlowClients"},
		{"HTTP without TLS on an HTTPS port is 400.", "observed", "TestPlainHTTPOnASecurePort"},
		{
			"TLS on a port without it is told so at once, with 400 in clear text.",
			"clients report a wrong version number at once; the code is believed", "TestHandshakeOnAPlainPort",
		},
		{"A target that refuses, breaks off or answers nonsense is 502; one that does not answer in time is 504.", errors, "TestTargetFailures"},
		{"A response that breaks off breaks the client's connection.", "believed", "TestAResponseThatBreaksOffDoesNotLookWhole"},
		{"A client that leaves cancels the request to the target; it stands as 460 in the log.", errors, "TestAClientThatLeavesCancelsTheTarget"},
	}
}
