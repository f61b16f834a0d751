package traffic

// conditions are what requests a rule takes, beside its host and path.
func conditions() []row {
	// one is a rule for a with conditions, before a rule for b that takes the rest.
	one := func(name, why, conditions string, asks ...ask) row {
		return row{name: name, why: why, settings: []string{"conditions.a: [" + conditions + "]"},
			rules: []string{host("", "Prefix /x a", "Prefix / b")}, asks: asks}
	}
	get := func(url, header, pod string) ask {
		return ask{to: "GET http://" + url, header: header, want: pod + ": GET " + url}
	}
	return []row{
		one("host-header values", "wildcards stand for any text; letters of hosts have no case",
			`{"field":"host-header","hostHeaderConfig":{"values":["*.example.com","shop?.example.org"]}}`,
			get("a.example.com/x", "", "a"), get("example.com/x", "", "b"), get("shop1.example.org/x", "", "a"), get("shop12.example.org/x", "", "b")),
		one("host-header regexValues", "the expression matches the host of the request",
			`{"field":"host-header","hostHeaderConfig":{"regexValues":["^shop[0-9]+\\.example\\.com$"]}}`,
			get("shop12.example.com/x", "", "a"), get("shop.example.com/x", "", "b")),
		one("path-pattern values", "values join the path of the rule: one of them must match",
			`{"field":"path-pattern","pathPatternConfig":{"values":["/y/*.png"]}}`,
			get("shop.example.com/y/z.png", "", "a"), get("shop.example.com/x", "", "a"), get("shop.example.com/Y/z.png", "", "b")),
		one("path-pattern regexValues", "an expression that matches anywhere in the path, beside the path of the rule",
			`{"field":"path-pattern","pathPatternConfig":{"regexValues":["^/v[0-9]+/[a-z]+$"]}}`,
			get("shop.example.com/v12/cart", "", "a"), get("shop.example.com/v/cart", "", "b"), get("shop.example.com/v1/cart/7", "", "b")),
		one("http-header values", "any value will do; its letters have no case",
			`{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Team","values":["red*","blue"]}}`,
			get("shop.example.com/x", "x-team: Redwood", "a"), get("shop.example.com/x", "X-Team: blue", "a"),
			get("shop.example.com/x", "X-Team: bluer", "b"), get("shop.example.com/x", "", "b")),
		one("http-header regexValues", "the expression matches the value of the field",
			`{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"User-Agent","regexValues":["^test/[0-9]+$"]}}`,
			get("shop.example.com/x", "User-Agent: test/42", "a"), get("shop.example.com/x", "User-Agent: test/x", "b")),
		one("http-request-method", "methods are compared with their case",
			`{"field":"http-request-method","httpRequestMethodConfig":{"values":["PUT","POST"]}}`,
			ask{to: "PUT http://shop.example.com/x", want: "a: PUT shop.example.com/x"},
			ask{to: "POST http://shop.example.com/x", want: "a: POST shop.example.com/x"},
			ask{to: "GET http://shop.example.com/x", want: "b: GET shop.example.com/x"}),
		one("query-string with key", "the value of that key, wherever it is",
			`{"field":"query-string","queryStringConfig":{"values":[{"key":"version","value":"v2*"}]}}`,
			get("shop.example.com/x?a=1&version=v2.1", "", "a"), get("shop.example.com/x?version=v1", "", "b"),
			get("shop.example.com/x?other=v2", "", "b"), get("shop.example.com/x", "", "b")),
		one("query-string without key", "the value of any key",
			`{"field":"query-string","queryStringConfig":{"values":[{"value":"*beta*"}]}}`,
			get("shop.example.com/x?any=my-beta-1", "", "a"), get("shop.example.com/x?any=alpha", "", "b")),
		one("source-ip", "the address of the connection counts, not what a header says",
			`{"field":"source-ip","sourceIPConfig":{"values":["127.0.0.9/32","192.0.2.0/24"]}}`,
			ask{to: "GET http://shop.example.com/x", from: "127.0.0.9", want: "a: GET shop.example.com/x"},
			ask{to: "GET http://shop.example.com/x", from: "127.0.0.8", want: "b: GET shop.example.com/x"},
			ask{to: "GET http://shop.example.com/x", header: "X-Forwarded-For: 192.0.2.1", want: "b: GET shop.example.com/x"}),
		one("several conditions", "all of them must hold",
			`{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Beta","values":["yes"]}},`+
				`{"field":"query-string","queryStringConfig":{"values":[{"key":"v","value":"2"}]}}`,
			get("shop.example.com/x?v=2", "X-Beta: yes", "a"), get("shop.example.com/x?v=2", "", "b"), get("shop.example.com/x", "X-Beta: yes", "b")),
	}
}

// transforms are what a target gets to see instead of what the client sent.
func transforms() []row {
	return []row{
		{
			name: "url-rewrite", why: "capture groups move, the query goes along, and the rule matches the path as it was sent",
			settings: []string{`transforms.a: [{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/api/([^/]+)/(.*)$","replace":"/$2/of/$1"}]}}]`},
			rules:    []string{host("", "Prefix /api a", "Prefix / b")},
			asks: []ask{
				{to: "GET http://shop.example.com/api/cart/7", want: "a: GET shop.example.com/7/of/cart"},
				{to: "GET http://shop.example.com/api", want: "a: GET shop.example.com/api"},
				{to: "GET http://shop.example.com/7/of/cart", want: "b: GET shop.example.com/7/of/cart"},
			},
		},
		{
			name: "host-header-rewrite", why: "capture groups of the host move; the path stays",
			settings: []string{`transforms.a: [{"type":"host-header-rewrite","hostHeaderRewriteConfig":{"rewrites":[{"regex":"^(.+)\\.example\\.com$","replace":"$1.internal"}]}}]`},
			rules:    []string{host("", "Prefix / a")},
			asks: []ask{
				{to: "GET http://shop.example.com/x?y=1", want: "a: GET shop.internal/x?y=1"},
				{to: "GET http://shop.example.org/x", want: "a: GET shop.example.org/x"},
			},
		},
		{
			name: "both rewrites of an action", why: "a rule has one of each type, also where the backend is an action",
			settings: []string{
				`actions.go: {"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"c","servicePort":80}]}}`,
				`transforms.go: [{"type":"host-header-rewrite","hostHeaderRewriteConfig":{"rewrites":[{"regex":".*","replace":"c.internal"}]}},` +
					`{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/old","replace":"/new"}]}}]`,
			},
			rules: []string{host("", "Prefix / @go")},
			asks:  []ask{{to: "GET http://shop.example.com/old/x", want: "c: GET c.internal/new/x"}},
		},
	}
}

// paths are the path types and the order of rules.
func paths() []row {
	get := func(url, pod string) ask { return ask{to: "GET http://" + url, want: pod + ": GET " + url} }
	return []row{
		{
			name: "Exact", why: "that path and no other: neither below it nor with a slash after it",
			rules: []string{host("", "Exact /x a", "Prefix / b")},
			asks:  []ask{get("s.example.com/x", "a"), get("s.example.com/x?q", "a"), get("s.example.com/x/", "b"), get("s.example.com/x/y", "b"), get("s.example.com/X", "b")},
		},
		{
			name: "Prefix", why: "whole elements of the path: /foo takes /foo/bar and not /foobar, and a slash at its end means nothing",
			rules: []string{host("", "Prefix /foo a", "Prefix /bar/ c", "Prefix / b")},
			asks: []ask{
				get("s.example.com/foo", "a"), get("s.example.com/foo/", "a"), get("s.example.com/foo/bar", "a"), get("s.example.com/foobar", "b"),
				get("s.example.com/bar", "c"), get("s.example.com/bar/1", "c"), get("s.example.com/", "b"),
			},
		},
		{
			name: "ImplementationSpecific", why: "the pattern as it is written, with AWS's wildcards; without any it is one path",
			rules: []string{host("", "ImplementationSpecific /v?/* a", "ImplementationSpecific /only c")}, fallback: "b",
			asks: []ask{
				get("s.example.com/v1/x", "a"), get("s.example.com/v10/x", "b"), get("s.example.com/v1", "b"),
				get("s.example.com/only", "c"), get("s.example.com/only/x", "b"),
			},
		},
		{
			name: "use-regex-path-match", why: "paths of that type are expressions after their slash; those of other types are not",
			settings: []string{"use-regex-path-match: true"},
			rules:    []string{host("", "ImplementationSpecific /^/items/[0-9]+$ a", "Prefix /items c", "Prefix / b")},
			asks:     []ask{get("s.example.com/items/12", "c"), get("s.example.com/items/x", "c"), get("s.example.com/x", "b")},
		},
		{
			name: "regex alone", why: "an expression decides where no other path comes before it",
			settings: []string{"use-regex-path-match: true"},
			rules:    []string{host("s.example.com", "ImplementationSpecific /^/items/[0-9]+$ a", "ImplementationSpecific /^/(cart|basket)/ c")},
			fallback: "b",
			asks: []ask{
				get("s.example.com/items/12", "a"), get("s.example.com/items/12/x", "b"), get("s.example.com/basket/x", "c"), get("s.example.com/", "b"),
			},
		},
		{
			name: "order in a host", why: "exact paths, then the longest prefix, then patterns as written, whatever the order of the text",
			rules: []string{host("s.example.com", "ImplementationSpecific /* many", "Prefix / c", "Prefix /x b", "Exact /x/y a")},
			asks:  []ask{get("s.example.com/x/y", "a"), get("s.example.com/x/y/z", "b"), get("s.example.com/z", "c")},
		},
		{
			name: "order over hosts", why: "hosts stay in the order of the text: what any host takes hides the hosts after it",
			rules: []string{
				host("first.example.com", "Prefix / a"), host("", "Prefix /shared b"), host("*.example.com", "Prefix / c"),
				host("first.example.com", "Prefix /never many"),
			},
			asks: []ask{
				get("first.example.com/shared", "a"), get("second.example.com/shared", "b"), get("second.example.com/", "c"), get("first.example.com/never", "a"),
			},
		},
	}
}
