package fabric

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

func matching(m types.HttpMatch, action types.RuleAction) Rule {
	return Rule{&types.RuleMatchMemberHttpMatch{Value: m}, action}
}

func exact(path string, sensitive bool) *types.PathMatch {
	return &types.PathMatch{Match: &types.PathMatchTypeMemberExact{Value: path}, CaseSensitive: &sensitive}
}

func prefix(path string, sensitive bool) *types.PathMatch {
	return &types.PathMatch{Match: &types.PathMatchTypeMemberPrefix{Value: path}, CaseSensitive: &sensitive}
}

func header(name string, match types.HeaderMatchType, sensitive bool) types.HttpMatch {
	return types.HttpMatch{HeaderMatches: []types.HeaderMatch{{Name: &name, Match: match, CaseSensitive: &sensitive}}}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	get := "GET"
	contains := &types.HeaderMatchTypeMemberContains{Value: "Beta"}
	begins := &types.HeaderMatchTypeMemberPrefix{Value: "v2"}
	whole := &types.HeaderMatchTypeMemberExact{Value: "v2"}
	for _, row := range []struct {
		why, request string
		match        types.HttpMatch
		want         bool
	}{
		{"an exact path", "GET /a", types.HttpMatch{PathMatch: exact("/a", true)}, true},
		{"is whole", "GET /a/b", types.HttpMatch{PathMatch: exact("/a", true)}, false},
		{"and without the query", "GET /a?b=c", types.HttpMatch{PathMatch: exact("/a", true)}, true},
		{"case counts", "GET /A", types.HttpMatch{PathMatch: exact("/a", true)}, false},
		{"or not", "GET /A", types.HttpMatch{PathMatch: exact("/a", false)}, true},
		{"a prefix is one of text, not of segments", "GET /ver10", types.HttpMatch{PathMatch: prefix("/ver1", true)}, true},
		{"from the beginning", "GET /a/ver1", types.HttpMatch{PathMatch: prefix("/ver1", true)}, false},
		{"case counts in prefixes", "GET /VER1", types.HttpMatch{PathMatch: prefix("/ver1", true)}, false},
		{"or does not", "GET /VER1", types.HttpMatch{PathMatch: prefix("/ver1", false)}, true},
		{"an encoded path is compared as it is", "GET /%61", types.HttpMatch{PathMatch: exact("/a", true)}, false},
		{"a method", "GET /", types.HttpMatch{Method: &get}, true},
		{"another method", "POST /", types.HttpMatch{Method: &get}, false},
		{"methods have case", "get /", types.HttpMatch{Method: &get}, false},
		{"a header", "GET /\nX-A: v2", header("x-a", whole, true), true},
		{"that is not there", "GET /", header("x-a", whole, true), false},
		{"is whole too", "GET /\nX-A: v20", header("x-a", whole, true), false},
		{"with case", "GET /\nX-A: V2", header("x-a", whole, true), false},
		{"or without", "GET /\nX-A: V2", header("x-a", whole, false), true},
		{"a prefix of one", "GET /\nX-A: v20", header("x-a", begins, true), true},
		{"which is at its beginning", "GET /\nX-A: xv2", header("x-a", begins, true), false},
		{"a part of one", "GET /\nX-A: a Beta b", header("x-a", contains, true), true},
		{"with case, too", "GET /\nX-A: a beta b", header("x-a", contains, true), false},
		{"or without, too", "GET /\nX-A: a beta b", header("x-a", contains, false), true},
		{"any line of a header", "GET /\nX-A: v1\nX-A: v2", header("x-a", whole, true), true},
		{"all of a match", "GET /a", types.HttpMatch{Method: &get, PathMatch: exact("/b", true)}, false},
	} {
		lines := strings.Split(row.request, "\n")
		method, target, _ := strings.Cut(lines[0], " ")
		r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
		for _, line := range lines[1:] {
			key, value, _ := strings.Cut(line, ": ")
			r.Header.Add(key, value)
		}
		if got := compile(matching(row.match, fixed(404))).matches(r); got != row.want {
			t.Errorf("%s: %q is %v", row.why, row.request, got)
		}
	}
}

func TestServicesByHost(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", says("a"))
	w.listen(types.ListenerProtocolHttp, nil, matching(types.HttpMatch{PathMatch: prefix("/gone", true)}, fixed(404)),
		matching(types.HttpMatch{PathMatch: prefix("/", true)}, forward("a")), Rule{Action: fixed(500)})
	c := w.client(nil)
	got := []string{
		w.ask(c, "GET http://"+name+"/"), w.ask(c, "GET http://"+strings.ToUpper(domain)+"/"), w.ask(c, "GET http://other.example.com/"),
		w.ask(c, "GET http://"+name+"/gone/1"), w.raw("CONNECT " + name + ":80 HTTP/1.1\r\nHost: " + name + "\r\n\r\n"),
	}
	if diff := cmp.Diff([]string{"200 a", "200 a", "404", "404", "HTTP/1.1 400 Bad Request"}, got); diff != "" {
		t.Error(diff)
	}
	w.listen(types.ListenerProtocolHttp, func(_ *Entrance, s *Service) { s.Domain = "*.example.com" }, Rule{Action: forward("a")})
	if got := w.ask(c, "GET http://other.example.com/") + w.ask(c, "GET http://a.b.example.com/"); got != "200 a404" {
		t.Errorf("a wildcard: %s", got)
	}
}

func TestWithoutAssociationNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", says("a"))
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a")})
	slow := w.client(nil)
	if got := w.ask(slow, "GET http://"+name+"/"); got != "200 a" {
		t.Error(got)
	}
	w.update()
	if got := w.ask(slow, "GET http://"+name+"/") + ", " + w.raw("GET / HTTP/1.1\r\n\r\n"); got != "no answer, refused" {
		t.Error(got)
	}
}

func TestWeights(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", says("a"))
	w.target("b", says("b"))
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a=1", "b=3", "empty=0")})
	c, seen := w.client(nil), map[string]int{}
	const requests = 400
	for range requests {
		seen[w.ask(c, "GET http://"+name+"/")]++
	}
	if a := seen["200 a"]; a < 95 || a > 105 || seen["200 b"] != requests-a {
		t.Errorf("%v of 1 to 3", seen)
	}
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a=0")})
	if got := w.ask(c, "GET http://"+name+"/"); got != "503" {
		t.Errorf("no weight at all: %s", got)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	w := start(t)
	sick := make(chan bool, 1)
	agents := make(chan string, 100)
	w.target("a", func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			agents <- r.UserAgent()
			select {
			case is := <-sick:
				if sick <- is; is {
					out.WriteHeader(http.StatusInternalServerError)
				}
			default:
			}
			return
		}
		fmt.Fprint(out, "a")
	})
	g := w.groups["a"]
	on, path, often, twice := true, "/health", int32(5), int32(2)
	g.Settings.HealthCheckEnabled, g.Settings.HealthCheckPath, g.Settings.HealthCheckIntervalSeconds = &on, &path, &often
	g.Settings.UnhealthyThresholdCount = &twice
	w.groups["a"] = g
	w.fill()
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a")})
	c := w.client(nil)
	eventually := func(want string) {
		t.Helper()
		got := ""
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if got = w.ask(c, "GET http://"+name+"/"); got == want {
				return
			}
		}
		t.Fatalf("got %s, want %s", got, want)
	}
	eventually("200 a")
	sick <- true
	eventually("503")
	if got := <-agents; got != "" {
		t.Errorf("a probe is from %q", got)
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	seen := make(chan *http.Request, 1)
	w.target("a", func(_ http.ResponseWriter, r *http.Request) { seen <- r })
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a")})
	w.ask(w.client(nil), "GET http://"+domain+"/a%2Fb?x=%20;y\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: gopher\nX-Amzn-Lattice-Identity: Principal=me\n"+
		"X-Amzn-Lattice-Network: mine\nConnection: upgrade\nUpgrade: websocket")
	r := <-seen
	got := map[string]string{"host": r.Host, "target": r.RequestURI}
	for _, h := range []string{
		"X-Forwarded-For", "X-Forwarded-For-Port", "X-Forwarded-For-Proto", "X-Forwarded-Proto", "X-Amzn-Lattice-Identity", "X-Amzn-Lattice-Network",
		"X-Amzn-Lattice-Target", "Upgrade",
	} {
		got[h] = strings.Join(r.Header.Values(h), "|")
	}
	want := map[string]string{
		"host": domain, "target": "/a%2Fb?x=%20;y", "X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-For-Port": strconv.Itoa(int(w.at.Port())),
		"X-Forwarded-For-Proto": "http", "X-Forwarded-Proto": "gopher", "X-Amzn-Lattice-Identity": "", "Upgrade": "",
		"X-Amzn-Lattice-Network": "SourceVpcArn=arn:aws:ec2:us-west-2:1:vpc/vpc-1",
		"X-Amzn-Lattice-Target":  "ServiceArn=" + service + ";ServiceNetworkArn=" + network + ";TargetGroupArn=a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Header.Get("X-Amzn-Requestid") == "" {
		t.Error("no request identifier")
	}
}

func TestAuthPolicies(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", says("a"))
	statement := func(effect, rest string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"` + effect + `","Principal":"*","Action":"vpc-lattice-svcs:Invoke","Resource":"*"` + rest + `}]}`
	}
	alone := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"vpc-lattice-svcs:Invoke"` + rest + `}]}`
	}
	const all = `,"Resource":"*"`
	for _, row := range []struct {
		why, network, service, request string
		want                           string
	}{
		{"no policy denies all", "-", "", "GET /", "403"}, {"everybody", alone(all), "", "GET /", "200"},
		{"both must allow", alone(all), "-", "GET /", "403"}, {"as they do", alone(all), alone(all), "GET /", "200"},
		{"a deny wins", statement("Deny", ""), "", "GET /", "403"},
		{"a path", "", alone(`,"Resource":"` + service + `/a/*"`), "GET /a/b", "200"}, {"another path", "", alone(`,"Resource":"` + service + `/a/*"`), "GET /b", "403"},
		{"a method", "", alone(all + `,"Condition":{"StringEquals":{"vpc-lattice-svcs:RequestMethod":"GET"}}`), "POST /", "403"},
		{"a header", "", alone(all + `,"Condition":{"StringEquals":{"vpc-lattice-svcs:RequestHeader/x-a":"1"}}`), "GET /\nX-A: 1", "200"},
		{"a query", "", alone(all + `,"Condition":{"StringEquals":{"vpc-lattice-svcs:RequestQueryString/q":"1"}}`), "GET /?q=1", "200"},
		{"the VPC", "", alone(all + `,"Condition":{"StringEquals":{"vpc-lattice-svcs:SourceVpc":"vpc-2"}}`), "GET /", "403"},
		{"nobody anonymous", "", alone(all + `,"Condition":{"StringNotEqualsIgnoreCase":{"aws:PrincipalType":"anonymous"}}`), "GET /", "403"},
		{"somebody", "", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:role/a"},"Action":"*","Resource":"*"}]}`, "GET /", "403"},
		{"what is not understood closes", "", alone(all + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2100-01-01T00:00:00Z"}}`), "GET /", "403"},
		{"an exception closes too", "", `{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"1"},"Action":"*","Resource":"*"}]}`, "GET /", "403"},
		{"who signs is refused", alone(all), "", "GET /\nAuthorization: AWS4-HMAC-SHA256 Credential=a", "403"},
		{"in the query too", alone(all), "", "GET /?X-Amz-Signature=1", "403"},
		{"but not where nobody asks", "", "", "GET /\nAuthorization: AWS4-HMAC-SHA256 Credential=a", "200"},
	} {
		auth := func(text string) Auth { return Auth{text != "", strings.Trim(text, "-")} }
		w.listen(types.ListenerProtocolHttp, func(e *Entrance, s *Service) { e.Auth, s.Auth = auth(row.network), auth(row.service) }, Rule{Action: forward("a")})
		got := w.ask(w.client(nil), strings.Replace(row.request, " /", " http://"+name+"/", 1))
		if code, text, _ := strings.Cut(got, " "); code != row.want || code == "403" && !strings.HasPrefix(text, "AccessDeniedException: ") {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}

func TestTargetsThatFail(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.target("a", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a")})
	if got := w.ask(w.client(nil), "GET http://"+name+"/"); got != "502" {
		t.Errorf("one that hangs up: %s", got)
	}
	w.groups["a"] = dataplane.TargetGroup{InUse: true, Lattice: &dataplane.LatticeGroup{CheckVersion: "HTTP1"}}
	w.fill()
	if got := w.ask(w.client(nil), "GET http://"+name+"/"); got != "503" {
		t.Errorf("none: %s", got)
	}
}

func TestDraining(t *testing.T) {
	t.Parallel()
	w := start(t)
	begun, end := make(chan bool), make(chan bool)
	w.target("a", func(out http.ResponseWriter, _ *http.Request) {
		begun <- true
		<-end
		fmt.Fprint(out, "a")
	})
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("a")})
	answers := make(chan string)
	c := w.client(nil)
	go func() { answers <- w.ask(c, "GET http://"+name+"/") }()
	<-begun
	g := w.groups["a"]
	g.Targets = []dataplane.Target{g.Targets[0]}
	g.Targets[0].Draining = true
	w.groups["a"] = g
	w.fill()
	if got := w.ask(c, "GET http://"+name+"/"); got != "503" {
		t.Errorf("a draining target gets more: %s", got)
	}
	end <- true
	if got := <-answers; got != "200 a" {
		t.Errorf("what had begun: %s", got)
	}
}

func TestPortsInUseAndOutOfRange(t *testing.T) {
	t.Parallel()
	w := start(t)
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", w.at.String())
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{Name: name, Listeners: []Listener{{Port: int(w.at.Port()), Protocol: types.ListenerProtocolHttp, Rules: []Rule{{Action: fixed(404)}}}}}
	e := Entrance{Address: w.at.Addr(), Services: []*Service{s}}
	if err := w.fabric.Update(t.Context(), Config{[]Entrance{e}}); err == nil {
		t.Error("a port that is taken is no error")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	w.update(e)
	if got := w.ask(w.client(nil), "GET http://"+name+"/"); got != "404" {
		t.Errorf("when it is free: %s", got)
	}
	if err := w.fabric.Update(t.Context(), Config{[]Entrance{{Address: netip.Addr{}, Services: []*Service{s}}}}); err == nil {
		t.Error("no address is no error")
	}
}
