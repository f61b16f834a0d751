package traffic

// actions are what a rule does.
func actions() []row {
	const forward = `actions.go: {"type":"forward","forwardConfig":{"targetGroups":[`
	return []row{
		{
			name: "a Service", why: "a backend's pod sees the request as the client sent it",
			rules: []string{host("shop.example.com", "Prefix / a")},
			asks: []ask{
				{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"},
				{to: "DELETE http://shop.example.com/cart/1?all=%20yes&x", want: "a: DELETE shop.example.com/cart/1?all=%20yes&x"},
				{to: "GET http://other.example.com/", want: "404 text/plain; charset=utf-8"},
			},
		},
		{
			name: "forward by annotation", why: "an action that forwards names Service and port itself, the port by its number as text too",
			settings: []string{forward + `{"serviceName":"b","servicePort":"80"}]}}`},
			rules:    []string{host("", "Prefix / @go")},
			asks:     []ask{{to: "GET http://shop.example.com/x", want: "b: GET shop.example.com/x"}},
		},
		{
			name: "forward by a port's name", why: "the port may have a name instead of a number",
			settings: []string{forward + `{"serviceName":"c","servicePort":"http"}]}}`},
			rules:    []string{host("", "Prefix / @go")},
			asks:     []ask{{to: "GET http://shop.example.com/x", want: "c: GET shop.example.com/x"}},
		},
		{
			name: "weight 0", why: "a share of nothing gets no request",
			settings: []string{forward + `{"serviceName":"a","servicePort":80,"weight":0},{"serviceName":"b","servicePort":80,"weight":1}]}}`},
			rules:    []string{host("", "Prefix / @go")},
			asks: []ask{
				{to: "GET http://shop.example.com/1", want: "b: GET shop.example.com/1"},
				{to: "GET http://shop.example.com/2", want: "b: GET shop.example.com/2"},
				{to: "GET http://shop.example.com/3", want: "b: GET shop.example.com/3"},
			},
		},
		{
			name: "fixed-response", why: "the load balancer answers itself: status, type and text as written",
			settings: []string{
				`actions.tea: {"type":"fixed-response","fixedResponseConfig":{"contentType":"application/json","statusCode":"418","messageBody":"{\"tea\":true}"}}`,
				`actions.bare: {"type":"fixed-response","fixedResponseConfig":{"statusCode":"204"}}`,
			},
			rules: []string{host("", "Exact /tea @tea", "Exact /bare @bare")},
			asks: []ask{
				{to: "GET http://shop.example.com/tea", want: `418 application/json; charset=utf-8 {"tea":true}`},
				{to: "GET http://shop.example.com/bare", want: "204"},
			},
		},
		{
			name: "missing Service", why: "a rule whose Service is not there answers 503 and stays in front of the rules after it",
			rules: []string{host("", "Prefix /gone gone", "Prefix / a")},
			found: []string{"BackendNotFound"},
			asks: []ask{
				{to: "GET http://shop.example.com/gone/1", want: "503 text/plain; charset=utf-8"},
				{to: "GET http://shop.example.com/", want: "a: GET shop.example.com/"},
			},
		},
		{
			name: "missing action", why: "a port that asks for an annotation that is not there answers 503, never the next rule",
			rules: []string{host("", "Prefix /gone @gone", "Prefix / a")},
			found: []string{"BackendNotFound"},
			asks: []ask{
				{to: "GET http://shop.example.com/gone", want: "503 text/plain; charset=utf-8"},
				{to: "GET http://shop.example.com/here", want: "a: GET shop.example.com/here"},
			},
		},
	}
}

// redirects are where clients are sent.
func redirects() []row {
	redirect := func(parts string) []string {
		return []string{`actions.go: {"type":"redirect","redirectConfig":{` + parts + `}}`}
	}
	all := []string{host("", "Prefix / @go")}
	one := func(name, why, parts, want string) row {
		return row{name: "redirect " + name, why: why, settings: redirect(parts), rules: all,
			asks: []ask{{to: "GET http://shop.example.com/a/b?x=1&y=2", want: want}}}
	}
	return []row{
		one("protocol and port", "what is not written stays", `"protocol":"HTTPS","port":"443","statusCode":"HTTP_301"`,
			"301 https://shop.example.com:443/a/b?x=1&y=2"),
		one("host", "with HTTP_302 for the moment only", `"host":"new.example.com","statusCode":"HTTP_302"`,
			"302 http://new.example.com:80/a/b?x=1&y=2"),
		one("host placeholder", "the old host in a new one", `"host":"www.#{host}","statusCode":"HTTP_302"`,
			"302 http://www.shop.example.com:80/a/b?x=1&y=2"),
		one("path", "the old path in a new one", `"path":"/new/#{path}","statusCode":"HTTP_301"`,
			"301 http://shop.example.com:80/new/a/b?x=1&y=2"),
		one("port", "to another port, the protocol as it was", `"port":"8443","protocol":"#{protocol}","statusCode":"HTTP_301"`,
			"301 http://shop.example.com:8443/a/b?x=1&y=2"),
		one("query", "the old query in a new one", `"path":"/new","query":"from=#{host}&#{query}","statusCode":"HTTP_301"`,
			"301 http://shop.example.com:80/new?from=shop.example.com&x=1&y=2"),
		one("empty query", "a query that is written and empty takes it away", `"path":"/only","query":"","statusCode":"HTTP_301"`,
			"301 http://shop.example.com:80/only"),
		one("every part", "each part has its placeholder",
			`"protocol":"HTTPS","host":"#{host}","port":"443","path":"/#{host}/#{port}/#{path}","query":"q=#{query}&from=#{protocol}","statusCode":"HTTP_302"`,
			"302 https://shop.example.com:443/shop.example.com/80/a/b?q=x=1&y=2&from=http"),
	}
}
