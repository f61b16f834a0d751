package dataplane

import (
	"io"
	"net/http"
	"strconv"
)

// serverName is the Server header of what a load balancer says itself.
const serverName = "awselb/2.0"

// Status codes that only load balancers have.
const (
	statusTooManyForwarded   = 463
	statusIncompatibleTarget = 464
	statusProviderRefused    = 561
)

// reason gives the words that the load balancer's pages have for a status; some differ from those of the RFCs.
func reason(status int) string {
	switch status {
	case http.StatusMethodNotAllowed:
		return "Not Allowed"
	case http.StatusRequestURITooLong:
		return "Request-URI Too Large"
	case http.StatusRequestEntityTooLarge:
		return "Request Entity Too Large"
	case http.StatusServiceUnavailable:
		return "Service Temporarily Unavailable"
	case http.StatusGatewayTimeout:
		return "Gateway Time-out"
	case http.StatusUnauthorized:
		return "Authorization Required"
	case statusProviderRefused:
		return "Authentication Error"
	default:
		return http.StatusText(status)
	}
}

// page is the body of an error or a redirect.
func page(title string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n</body>\r\n</html>\r\n"
}

// refuse answers with an error page.
func (x *exchange) refuse(status int) {
	title := strconv.Itoa(status)
	if words := reason(status); words != "" {
		title += " " + words
	}
	x.generate(status, "text/html", page(title))
}

// deny answers a request that a gate does not let through. The reason is for the log.
func (x *exchange) deny(status int, why string) bool {
	x.note.why = why
	x.refuse(status)
	return false
}

// generate writes a response that comes from the load balancer itself. To HEAD the body is left out.
func (x *exchange) generate(status int, contentType, body string) {
	h := x.writer.Header()
	h.Set("Server", serverName)
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.finishHeader(h)
	x.note.status = status
	x.writer.WriteHeader(status)
	if x.request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified {
		return
	}
	x.note.bytes = int64(len(body))
	if _, err := io.WriteString(x.writer, body); err != nil {
		x.server.log.Debug("client went away", "error", err)
	}
}
