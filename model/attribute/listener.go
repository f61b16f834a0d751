package attribute

import (
	"slices"
	"strings"
)

// Listener says what attributes a listener has.
type Listener struct {
	// Type of its load balancer: application, network or gateway.
	Type     string
	Protocol string
}

// OfListener are the attributes of a listener, sorted by key.
func OfListener(l Listener) []Attribute {
	idle := Attribute{"tcp.idle_timeout.seconds", "350", within(60, 6000)}
	switch {
	case l.Type == gateway:
		return []Attribute{{"send_tcp_reset.on_idle_timeout.enabled", no, boolean}, idle}
	case l.Type == network && l.Protocol == "TCP":
		return []Attribute{idle}
	case l.Type == network:
		return nil
	}
	all := responseHeaders()
	if l.Protocol == "HTTPS" {
		all = append(all, requestHeaders()...)
	}
	slices.SortFunc(all, func(a, b Attribute) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func responseHeaders() []Attribute {
	const response = "routing.http.response."
	all := []Attribute{{response + "server.enabled", yes, boolean}}
	for name, check := range map[string]func(string) string{
		"strict_transport_security": header, "access_control_allow_origin": header, "access_control_allow_methods": header,
		"access_control_allow_headers": header, "access_control_allow_credentials": oneOf("", yes),
		"access_control_expose_headers": header, "access_control_max_age": either("", 0, 1<<31-1), "content_security_policy": header,
		"x_content_type_options": oneOf("", "nosniff"), "x_frame_options": frameOptions,
	} {
		all = append(all, Attribute{response + name + ".header_value", "", check})
	}
	return all
}

func requestHeaders() []Attribute {
	names := []string{
		"mtls_clientcert_serial_number", "mtls_clientcert_issuer", "mtls_clientcert_subject", "mtls_clientcert_validity",
		"mtls_clientcert_leaf", "mtls_clientcert", "tls_version", "tls_cipher_suite",
	}
	out := make([]Attribute, 0, len(names))
	for _, name := range names {
		out = append(out, Attribute{"routing.http.request.x_amzn_" + name + ".header_name", "", headerName})
	}
	return out
}

// OfAnyListener are the attributes of listeners of all types, for [Problem].
func OfAnyListener() []Attribute {
	return slices.Concat(OfListener(Listener{application, "HTTPS"}), OfListener(Listener{network, "TCP"}), OfListener(Listener{Type: gateway}))
}
