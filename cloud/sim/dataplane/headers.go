package dataplane

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Names of headers, as net/http writes them.
const (
	headerForwardedFor   = "X-Forwarded-For"
	headerForwardedProto = "X-Forwarded-Proto"
	headerForwardedPort  = "X-Forwarded-Port"
	headerTrace          = "X-Amzn-Trace-Id"
	headerConnection     = "Connection"
	headerUpgrade        = "Upgrade"
	headerTE             = "TE"
	headerTrailer        = "Trailer"
)

// hopByHop lists what belongs to one connection and never passes, besides TE.
func hopByHop() []string {
	return []string{
		headerConnection, "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Transfer-Encoding",
		headerUpgrade, headerTrailer,
	}
}

// stripHopByHop removes the headers of the connection, and those that the Connection header names.
func stripHopByHop(h http.Header) {
	for _, line := range h[headerConnection] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop() {
		delete(h, name)
	}
	h.Del(headerTE)
}

// prepareHeader edits the headers of a request as a load balancer does before it passes it on, and nothing else. The version is the
// target group's: between HTTP/2 ends gRPC needs TE.
func (x *exchange) prepareHeader(h http.Header, version string) {
	a := x.front.attributes
	if a.on("routing.http.drop_invalid_header_fields.enabled") {
		dropInvalid(h)
	}
	trailers := version != versionHTTP1 && strings.EqualFold(strings.TrimSpace(h.Get(headerTE)), "trailers")
	upgrade := webSocket(x.request)
	stripHopByHop(h)
	if trailers {
		h.Set(headerTE, "trailers")
	}
	if upgrade {
		h.Set(headerConnection, "Upgrade")
		h.Set(headerUpgrade, "websocket")
	}
	forwardedFor(h, a, x.peer)
	h.Set(headerForwardedProto, x.front.scheme())
	h.Set(headerForwardedPort, strconv.Itoa(x.front.port))
	h.Set(headerTrace, x.server.trace(h.Get(headerTrace)))
	x.tlsHeaders(h)
	x.mutualHeaders(h)
	if _, ok := h["User-Agent"]; !ok {
		h.Set("User-Agent", "") // or the transport would write its own
	}
}

// forwardedFor writes the client's address by the load balancer's mode.
func forwardedFor(h http.Header, a attributes, peer netip.AddrPort) {
	switch a["routing.http.xff_header_processing.mode"] {
	case "preserve":
	case "remove":
		h.Del(headerForwardedFor)
	default:
		client := peer.Addr().String()
		if a.on("routing.http.xff_client_port.enabled") {
			client = peer.String()
		}
		if before := h[headerForwardedFor]; len(before) > 0 {
			client = strings.Join(before, ", ") + ", " + client
		}
		h.Set(headerForwardedFor, client)
	}
}

// dropInvalid removes headers whose name has other characters than letters, digits and hyphens.
func dropInvalid(h http.Header) {
	for name := range h {
		for i := range len(name) {
			c := name[i]
			if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
				delete(h, name)
				break
			}
		}
	}
}

// targetHost is the Host header that a target gets. Without preservation a standard listener port means no port in it, any other
// port is added.
func (x *exchange) targetHost(host string) string {
	if x.front.attributes.on("routing.http.preserve_host_header.enabled") {
		return host
	}
	name := withoutPort(host)
	if x.front.port == 80 || x.front.port == 443 {
		return name
	}
	if name != host || host == "" {
		return host
	}
	return host + ":" + strconv.Itoa(x.front.port)
}

// insertedHeader is a response header that a listener attribute sets.
type insertedHeader struct{ name, value string }

// insertedHeaders reads the listener attributes that put a header into every response.
func insertedHeaders(a attributes) []insertedHeader {
	var all []insertedHeader
	for _, name := range []string{
		"Strict-Transport-Security", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
		"Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Access-Control-Max-Age", "Content-Security-Policy",
		"X-Content-Type-Options", "X-Frame-Options",
	} {
		key := "routing.http.response." + strings.ReplaceAll(strings.ToLower(name), "-", "_") + ".header_value"
		if value := a[key]; value != "" {
			all = append(all, insertedHeader{name, value})
		}
	}
	return all
}

// finishHeader makes the last changes to the headers of any response, a target's or our own.
func (x *exchange) finishHeader(h http.Header) {
	for _, cookie := range x.cookies {
		h.Add("Set-Cookie", cookie)
	}
	for _, in := range x.front.inserted {
		h.Set(in.name, in.value)
	}
	if !x.front.listener.notOff("routing.http.response.server.enabled") {
		h.Del("Server")
	}
	switch {
	case h.Get(headerConnection) != "":
	case x.closing || x.expired():
		h.Set(headerConnection, "close") // on HTTP/2 net/http makes GOAWAY of it
	case x.request.ProtoMajor == 1 && x.request.ProtoMinor == 1:
		h.Set(headerConnection, "keep-alive")
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or net/http would guess one
	}
}
