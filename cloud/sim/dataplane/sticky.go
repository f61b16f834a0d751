package dataplane

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the cookies that stickiness uses. The first two have a twin for cross-origin requests, with CORS after the name.
const (
	cookieTarget = "AWSALB"
	cookieGroup  = "AWSALBTG"
	cookieApp    = "AWSALBAPP-0"
)

// cookieLife is how long a browser keeps a cookie. How long it is honoured is inside its value.
const cookieLife = 7 * 24 * time.Hour

// seal encrypts what cookies carry, so that clients see opaque values and cannot choose.
type seal struct{ aead cipher.AEAD }

func newSeal() *seal {
	var key [16]byte
	_, _ = rand.Read(key[:])          // never fails
	block, _ := aes.NewCipher(key[:]) // the key has a valid length
	aead, _ := cipher.NewGCM(block)   // the block has a valid size
	return &seal{aead}
}

// value makes a cookie value that holds a reference for some time. The cookie's name is bound to it.
func (s *seal) value(name, reference string, until time.Time) string {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	plain := strconv.FormatInt(until.UnixNano(), 10) + " " + reference
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(plain), []byte(name)))
}

// open gives the reference of a request's cookie, or an empty string if there is none that counts.
func (s *seal) open(r *http.Request, name string, now time.Time) string {
	for _, suffix := range []string{"", "CORS"} {
		cookie, err := r.Cookie(name + suffix)
		if err != nil {
			continue
		}
		if reference := s.read(name, cookie.Value, now); reference != "" {
			return reference
		}
	}
	return ""
}

func (s *seal) read(name, value string, now time.Time) string {
	sealed, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return ""
	}
	size := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, sealed[:size], sealed[size:], []byte(name))
	if err != nil {
		return ""
	}
	until, reference, _ := strings.Cut(string(plain), " ")
	nanoseconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || now.UnixNano() >= nanoseconds {
		return ""
	}
	return reference
}

// cookies gives a cookie and its cross-origin twin.
func (s *seal) cookies(name, reference string, now time.Time, valid time.Duration) []string {
	value := s.value(name, reference, now.Add(valid))
	return []string{
		setCookie(name, value, now),
		setCookie(name+"CORS", value, now) + "; SameSite=None; Secure",
	}
}

// setCookie writes a cookie as load balancers do: with an expiry date and for all paths.
func setCookie(name, value string, now time.Time) string {
	return name + "=" + value + "; Expires=" + now.Add(cookieLife).UTC().Format(http.TimeFormat) + "; Path=/"
}

// stickTo is the stickiness of a target group.
type stickTo struct {
	// cookie is AWSALB, AWSALBAPP-0 or empty.
	cookie string
	// app is the name of the application's own cookie.
	app   string
	valid time.Duration
}

func newStickTo(s *Server, a attributes) stickTo {
	if !a.on("stickiness.enabled") {
		return stickTo{}
	}
	const day = 86400
	if a["stickiness.type"] == "app_cookie" {
		return stickTo{
			cookie: cookieApp, app: a["stickiness.app_cookie.cookie_name"],
			valid: s.scaled(a.seconds("stickiness.app_cookie.duration_seconds", day)),
		}
	}
	return stickTo{cookie: cookieTarget, valid: s.scaled(a.seconds("stickiness.lb_cookie.duration_seconds", day))}
}

// choose picks a target: the one that the client's cookie names if it still takes requests, else by the algorithm. It gives the
// cookies that keep the client there.
func (g *group) choose(x *exchange, s *groupSettings) (*target, []string) {
	usable := g.pools.Load().in(x.zone)
	if s.stick.cookie == "" {
		return g.pick(usable, s), nil
	}
	t := g.kept(x, s.stick, usable)
	if t == nil {
		t = g.pick(usable, s)
	}
	if t == nil || s.stick.cookie == cookieApp {
		return t, nil // the application's cookie decides when the response comes
	}
	return t, x.server.seal.cookies(cookieTarget, g.arn+" "+t.key.String(), x.server.now(), s.stick.valid)
}

func (g *group) kept(x *exchange, stick stickTo, usable []*target) *target {
	if stick.app != "" {
		if _, err := x.request.Cookie(stick.app); err != nil {
			return nil
		}
	}
	reference := x.server.seal.open(x.request, stick.cookie, x.server.now())
	key, ok := strings.CutPrefix(reference, g.arn+" ")
	if !ok {
		return nil
	}
	for _, t := range usable {
		if t.key.String() == key {
			return t
		}
	}
	return nil
}

// appCookie gives the load balancer's cookie for a response in which the application sets its own, or that answers a request which
// had it already.
func (c *call) appCookie(x *exchange, res *http.Response) []string {
	stick := c.settings.stick
	if stick.cookie != cookieApp {
		return nil
	}
	set := false
	for _, cookie := range res.Cookies() {
		set = set || cookie.Name == stick.app
	}
	if !set && c.group.kept(x, stick, []*target{c.target}) == nil {
		return nil
	}
	now := x.server.now()
	value := x.server.seal.value(cookieApp, c.group.arn+" "+c.target.key.String(), now.Add(stick.valid))
	return []string{setCookie(cookieApp, value, now)}
}
