package dataplane

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// session is what the cookies of a signed-in client hold, sealed.
type session struct {
	Subject string          `json:"sub"`
	Claims  json.RawMessage `json:"claims"`
	Access  string          `json:"access"`
	Refresh string          `json:"refresh,omitempty"`
	// Renew is when the access token ends.
	Renew time.Time `json:"renew"`
	// Until is when the client must sign in again.
	Until time.Time `json:"until"`
}

// Limits of sessions (ALB user guide, "Authenticate users"), in bytes.
const (
	maxShard    = 4 << 10
	maxShards   = 4
	maxIdentity = 11 << 10
)

// session reads the session of a client. Cookies that are not ours, or whose time is over, are none.
func (p *provider) session(x *exchange) (session, bool) {
	var sealed strings.Builder
	for i := range maxShards {
		cookie, err := x.request.Cookie(p.cookie + "-" + strconv.Itoa(i))
		if err != nil {
			break
		}
		sealed.WriteString(cookie.Value)
	}
	var s session
	text := x.server.seal.read(p.key(), sealed.String(), x.server.now())
	if text == "" || json.Unmarshal([]byte(text), &s) != nil {
		return session{}, false
	}
	return s, true
}

// keep gives the client its session. It fails when that does not fit into the cookies.
func (p *provider) keep(x *exchange, s *session) bool {
	text, err := json.Marshal(s)
	if err != nil || len(s.Claims)+len(s.Access) > maxIdentity {
		return false
	}
	sealed := x.server.seal.value(p.key(), string(text), s.Until)
	now := x.server.now()
	room := maxShard - len(secureCookie(setCookie(p.cookie+"-0", "", now)))
	for i := 0; sealed != "" || i < maxShards; i++ {
		if i == maxShards {
			return false
		}
		name := p.cookie + "-" + strconv.Itoa(i)
		if sealed == "" {
			if _, err := x.request.Cookie(name); err == nil { // left over from a longer session
				x.cookies = append(x.cookies, name+"=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly")
			}
			continue
		}
		n := min(room, len(sealed))
		x.cookies = append(x.cookies, secureCookie(setCookie(name, sealed[:n], now)))
		sealed = sealed[n:]
	}
	return true
}
