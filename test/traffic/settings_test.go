package traffic

// fallbacks are what answers where no rule does.
func fallbacks() []row {
	return []row{
		{
			name: "default backend", why: "it answers what no rule takes, of every host",
			rules: []string{host("s.example.com", "Prefix /x a")}, fallback: "b",
			asks: []ask{
				{to: "GET http://s.example.com/x", want: "a: GET s.example.com/x"},
				{to: "GET http://s.example.com/y", want: "b: GET s.example.com/y"},
				{to: "GET http://t.example.com/x", want: "b: GET t.example.com/x"},
			},
		},
		{
			name: "default backend by annotation", why: "an action may be the default",
			settings: []string{`actions.sorry: {"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"503","messageBody":"sorry"}}`},
			fallback: "@sorry",
			asks:     []ask{{to: "GET http://s.example.com/", want: "503 text/plain; charset=utf-8 sorry"}},
		},
		{
			name: "missing default backend", why: "a default backend that is not there answers 503, not 404",
			rules: []string{host("s.example.com", "Prefix /x a")}, fallback: "gone", found: []string{"BackendNotFound"},
			asks: []ask{
				{to: "GET http://s.example.com/x", want: "a: GET s.example.com/x"},
				{to: "GET http://s.example.com/y", want: "503 text/plain; charset=utf-8"},
			},
		},
		{
			name: "no default backend", why: "the listener answers 404 itself",
			rules: []string{host("s.example.com", "Prefix /x a")},
			asks:  []ask{{to: "GET http://s.example.com/y", want: "404 text/plain; charset=utf-8"}},
		},
	}
}

// listeners are settings of listeners and of the load balancer.
func listeners() []row {
	secure := []string{`listen-ports: [{"HTTP":80},{"HTTPS":443}]`, "certificate-arn: CERTIFICATE"}
	all := []string{host("", "Prefix / a")}
	return []row{
		{
			name: "HTTPS", why: "both listeners serve; TLS ends at the load balancer, the pod gets clear text",
			settings: secure, rules: all,
			asks: []ask{
				{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"},
				{to: "GET https://shop.example.com/", want: "a: GET shop.example.com/"},
			},
		},
		{
			name: "other ports", why: "a listener for each port that is written, with the same rules",
			settings: []string{`listen-ports: [{"HTTP":8080},{"HTTP":8081}]`}, rules: all,
			asks: []ask{
				{to: "GET http://shop.example.com:8080/", want: "a: GET shop.example.com:8080/"},
				{to: "GET http://shop.example.com:8081/", want: "a: GET shop.example.com:8081/"},
			},
		},
		{
			name: "ssl-redirect", why: "HTTP is sent to HTTPS with path and query, whatever the rules are; HTTPS is served",
			settings: append([]string{"ssl-redirect: 443"}, secure...), rules: all,
			asks: []ask{
				{to: "GET http://shop.example.com/x?y=1", want: "301 https://shop.example.com:443/x?y=1"},
				{to: "GET https://shop.example.com/x?y=1", want: "a: GET shop.example.com/x?y=1"},
			},
		},
		{
			name: "listener attributes", why: "each listener sets the fields of its own attributes, and hides the server",
			settings: append([]string{
				"listener-attributes.HTTPS-443: routing.http.response.strict_transport_security.header_value=max-age=60,routing.http.response.server.enabled=false",
				"listener-attributes.HTTP-80: routing.http.response.x_frame_options.header_value=DENY",
			}, secure...), rules: all,
			asks: []ask{
				{to: "GET https://shop.example.com/", show: "Strict-Transport-Security", want: "a: GET shop.example.com/ [Strict-Transport-Security: max-age=60]"},
				{to: "GET http://shop.example.com/", show: "Strict-Transport-Security", want: "a: GET shop.example.com/ [Strict-Transport-Security: ]"},
				{to: "GET http://shop.example.com/", show: "X-Frame-Options", want: "a: GET shop.example.com/ [X-Frame-Options: DENY]"},
				{to: "GET https://shop.example.com/none", show: "Server", want: "a: GET shop.example.com/none [Server: ]"},
			},
		},
		{
			// The data plane does not filter by security groups: that rules of them reach AWS is what the golden cases show.
			name: "inbound-cidrs", why: "the simulator lets everybody in: an address out of the blocks is answered, and this row says so",
			settings: []string{"inbound-cidrs: 192.0.2.0/24"}, rules: all,
			asks: []ask{{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"}},
		},
	}
}

// groups are settings of target groups.
func groups() []row {
	all := []string{host("", "Prefix / a")}
	many := []string{host("", "Prefix / many")}
	return []row{
		{
			name: "backend-protocol HTTPS", why: "the load balancer speaks TLS with the pod, and verifies nothing of it",
			settings: []string{"backend-protocol: HTTPS", "healthcheck-protocol: HTTPS"}, rules: all,
			asks: []ask{{to: "GET http://shop.example.com/x", want: "a: GET shop.example.com/x over TLS"}},
		},
		{
			name: "backend-protocol-version HTTP2", why: "a client of HTTP/2 reaches the pod by HTTP/2; AWS wants an HTTPS listener for that",
			settings: []string{"backend-protocol-version: HTTP2", `listen-ports: [{"HTTPS":443}]`, "certificate-arn: CERTIFICATE"}, rules: all,
			asks: []ask{{to: "GET https://shop.example.com/x", want: "a: GET shop.example.com/x by HTTP/2.0"}},
		},
		{
			name: "an unhealthy target", why: "it gets nothing while another is well",
			rules: many, dead: []string{"m1", "m3"}, states: map[string]string{"m1": "unhealthy", "m3": "unhealthy"},
			asks: []ask{
				{to: "GET http://shop.example.com/1", want: "m2: GET shop.example.com/1"},
				{to: "GET http://shop.example.com/2", want: "m2: GET shop.example.com/2"},
				{to: "GET http://shop.example.com/3", want: "m2: GET shop.example.com/3"},
				{to: "GET http://shop.example.com/4", want: "m2: GET shop.example.com/4"},
			},
		},
		{
			name: "fail-open", why: "where no target is well, all get requests",
			settings: []string{"healthcheck-path: /status/500"}, rules: all, states: map[string]string{"a": "unhealthy"},
			asks: []ask{{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"}},
		},
		{
			name: "nobody home", why: "where the only target cannot be reached, the load balancer says so",
			rules: all, dead: []string{"a"}, states: map[string]string{"a": "unhealthy"},
			asks: []ask{{to: "GET http://shop.example.com/", want: "502 text/html"}},
		},
		{
			name: "health check", why: "path and success codes decide: what answers 404 is well where 404 is what is asked for",
			settings: []string{
				"healthcheck-path: /status/404", "success-codes: 404", "healthcheck-interval-seconds: 5", "healthcheck-timeout-seconds: 2",
				"healthy-threshold-count: 2", "unhealthy-threshold-count: 2",
			},
			rules: all, asks: []ask{{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"}},
		},
		{
			name: "health check port", why: "where nothing listens on the port of the check, the target is ill though it serves",
			settings: []string{"healthcheck-port: 9999"}, rules: all, states: map[string]string{"a": "unhealthy"},
			asks: []ask{{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"}},
		},
	}
}
