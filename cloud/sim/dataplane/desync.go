package dataplane

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// tier is how far a request of HTTP/1.1 departs from the standard, which is what load balancers guard against request smuggling by
// (ALB user guide, "Desync mitigation mode").
type tier int

const (
	compliant tier = iota
	acceptable
	ambiguous
	severe
)

func (t tier) String() string {
	return [...]string{"Compliant", "Acceptable", "Ambiguous", "Severe"}[t]
}

// verdict is what is thought of the head of a request.
type verdict struct {
	tier tier
	// reason is the word of the access log.
	reason string
	// status refuses the request whatever the mode is; zero lets it through.
	status int
}

// raise makes a verdict worse. The first reason of the worst tier stays.
func (v *verdict) raise(t tier, reason string) {
	if t > v.tier {
		v.tier, v.reason = t, reason
	}
	if t == severe && v.status == 0 {
		v.status = http.StatusBadRequest
	}
}

// refuse gives a status to a request that no mode lets through.
func (v *verdict) refuse(status int) {
	if v.status == 0 {
		v.status = status
	}
}

// head is the head of a request as it is read line by line.
type head struct {
	verdict
	// line is the request line if it has to be written anew, dropped are the numbers of lines that are left out.
	line    string
	dropped []int

	method        string
	old           bool
	hosts         int
	lengths       int
	length        int64
	codings       int
	suspicious    bool
	lengthLines   []int
	encodingLines []int
}

// readHead judges the lines of a head, without their ends. The length of the body is -1 for chunks.
func readHead(lines [][]byte) *head {
	h := &head{}
	h.requestLine(lines[0])
	for i, line := range lines[1:] {
		h.header(i+1, line)
	}
	h.framing()
	if !h.old && h.hosts == 0 {
		h.refuse(http.StatusBadRequest)
	}
	return h
}

func (h *head) requestLine(line []byte) {
	if len(line) > maxLine {
		h.refuse(http.StatusRequestURITooLong)
		return
	}
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first <= 0 || !isToken(line[:first]) {
		h.raise(severe, "BadMethod")
		return
	}
	h.method = string(line[:first])
	if last == first {
		h.raise(severe, "BadVersion")
		return
	}
	version := h.version(string(line[last+1:]))
	target := h.target(line[first+1 : last])
	if version != string(line[last+1:]) || len(target) != last-first-1 {
		h.line = h.method + " " + target + " " + version
	}
}

// version checks the protocol version and gives the one that the request is taken for.
func (h *head) version(text string) string {
	switch {
	case text == "HTTP/1.1":
	case text == "HTTP/1.0":
		h.old = true
	case len(text) != len("HTTP/1.1") || !strings.HasPrefix(text, "HTTP/") || text[6] != '.' || !isDigit(text[5]) || !isDigit(text[7]):
		h.raise(severe, "BadVersion")
	case text[5] != '1':
		h.refuse(http.StatusHTTPVersionNotSupported)
	default:
		h.raise(acceptable, "NonCompliantVersion")
		return "HTTP/1.1"
	}
	return text
}

// target checks the request target and escapes what cannot be passed on.
func (h *head) target(target []byte) string {
	if len(target) == 0 {
		h.raise(severe, "BadUri")
	}
	plain := true
	for _, c := range target {
		if c > ' ' && c != 0x7f {
			continue
		}
		plain = false
		switch c {
		case 0, '\r':
			h.raise(severe, "BadUri")
		case ' ':
			h.raise(acceptable, "SpaceInUri")
		default:
			h.raise(ambiguous, "AmbiguousUri")
		}
	}
	text := string(target)
	if !plain {
		text = escaped(target)
	}
	if h.method != http.MethodConnect && (strings.Contains(text, "%") || !strings.HasPrefix(text, "/")) {
		if _, err := url.ParseRequestURI(text); err != nil {
			h.refuse(http.StatusBadRequest) // the library behind does not pass it on
		}
	}
	return text
}

func escaped(target []byte) string {
	var b strings.Builder
	for _, c := range target {
		if c > ' ' && c != 0x7f {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return b.String()
}

// header judges one line of the fields.
func (h *head) header(number int, line []byte) {
	colon := bytes.IndexByte(line, ':')
	switch {
	case len(line) > maxLine:
		h.refuse(http.StatusBadRequest)
		return
	case colon == 0 || len(bytes.TrimSpace(line)) == 0:
		h.drop(number, ambiguous, "EmptyHeader")
		return
	case line[0] == ' ' || line[0] == '\t' || colon < 0:
		h.raise(severe, "BadHeader")
		return
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	if h.text(number, value) && h.name(number, name) {
		h.field(number, name, value)
	}
}

// field takes in the fields that say where a request ends and whom it is for.
func (h *head) field(number int, name, value []byte) {
	switch {
	case bytes.EqualFold(name, []byte("Host")):
		if h.hosts++; h.hosts > 1 {
			h.dropped = append(h.dropped, number)
		}
	case bytes.EqualFold(name, []byte("Content-Length")):
		h.contentLength(number, string(value))
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.encoding(number, string(value))
	}
}

// text checks a value. It reports whether the line can be passed on.
func (h *head) text(number int, value []byte) bool {
	fine := true
	for _, c := range value {
		switch {
		case c == 0 || c == '\r':
			h.raise(severe, "BadHeader")
			return false
		case c < ' ' && c != '\t' || c == 0x7f:
			fine = false
		case c >= 0x80:
			h.raise(acceptable, "NonCompliantHeader")
		}
	}
	if !fine {
		h.drop(number, acceptable, "NonCompliantHeader")
	}
	return fine
}

// name checks a name. One that others could take for a length or an encoding is not passed on.
func (h *head) name(number int, name []byte) bool {
	token := isToken(name)
	if token && !odd(name) {
		return true
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(string(name)))
	known := strings.EqualFold(string(name), "Content-Length") || strings.EqualFold(string(name), "Transfer-Encoding")
	switch {
	case known:
	case plain == "contentlength" || plain == "transferencoding":
		h.suspicious = true
		h.drop(number, ambiguous, "SuspiciousHeader")
		return false
	case !token:
		h.drop(number, acceptable, "NonCompliantHeader")
		return false
	}
	return true
}

// odd reports whether a name is worth a second look: it is about as long as the two that matter, and begins as they do or with what is
// no letter.
func odd(name []byte) bool {
	if len(name) < len("ContentLength") || len(name) > len("Transfer-Encoding")+2 {
		return false
	}
	first := name[0] | 0x20
	return first == 'c' || first == 't' || first < 'a' || first > 'z'
}

func (h *head) drop(number int, t tier, reason string) {
	h.raise(t, reason)
	h.dropped = append(h.dropped, number)
}

func (h *head) contentLength(number int, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || !isDigit(value[0]) {
		h.raise(severe, "BadContentLength")
		return
	}
	switch {
	case h.lengths > 0 && n != h.length:
		h.raise(severe, "MultipleContentLength")
	case h.lengths > 0:
		h.drop(number, ambiguous, "DuplicateContentLength")
	}
	h.length = n
	h.lengths++
	h.lengthLines = append(h.lengthLines, number)
}

func (h *head) encoding(number int, value string) {
	switch strings.ToLower(value) {
	case "chunked":
		if h.codings++; h.codings > 1 {
			h.raise(severe, "MultipleTransferEncodingChunked")
		}
		h.encodingLines = append(h.encodingLines, number)
	case "identity":
		h.dropped = append(h.dropped, number)
	case "gzip", "x-gzip", "compress", "x-compress", "deflate", "gzip, chunked", "deflate, chunked", "compress, chunked":
		h.refuse(http.StatusNotImplemented)
	default:
		h.raise(severe, "BadTransferEncoding")
	}
}

// framing judges what all fields together say of the body.
func (h *head) framing() {
	bodiless := h.method == http.MethodGet || h.method == http.MethodHead
	switch {
	case h.suspicious && h.lengths+h.codings > 0:
		h.raise(severe, "SuspiciousTeClPresent")
	case h.codings > 0 && h.lengths > 0:
		h.raise(ambiguous, "BothTeClPresent")
		h.dropped = append(h.dropped, h.lengthLines...)
	case h.codings > 0 && (bodiless || h.old):
		h.raise(ambiguous, "UndefinedTransferEncodingSemantics")
	case h.lengths > 0 && bodiless:
		h.needless()
	}
	switch {
	case h.codings > 0 && h.old:
		h.dropped = append(h.dropped, h.encodingLines...)
	case h.codings > 0:
		h.length = -1
	}
}

// needless judges a length where no body is expected.
func (h *head) needless() {
	if h.length == 0 {
		h.raise(acceptable, "GetHeadZeroContentLength")
		return
	}
	h.raise(ambiguous, "UndefinedContentLengthSemantics")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isToken reports whether a name or method has only characters of a token (RFC 9110).
func isToken(text []byte) bool {
	for _, c := range text {
		if isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			continue
		}
		return false
	}
	return len(text) > 0
}
