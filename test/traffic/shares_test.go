package traffic

import (
	"fmt"
	"testing"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
)

// requests is how many requests shares are counted over.
const requests = 400

// shop is a request of no particular kind.
func shop() ask { return ask{to: "GET http://shop.example.com/"} }

// open puts an Ingress on a stage of its own.
func open(t *testing.T, settings []string, rules ...string) *stage {
	t.Helper()
	s := newStage(t, sim.Options{RuleDelay: -1})
	if got := s.apply(web(settings, rules, "")); len(got) > 0 {
		t.Fatalf("found %v", got)
	}
	s.register(owner(), nil)
	return s
}

// count asks many times, as new clients or one, and counts who answers.
func count(next func() *client) map[string]int {
	out := map[string]int{}
	for range requests {
		out[next().pod(shop())]++
	}
	return out
}

// TestWeights: shares of requests are those of the weights, within six standard deviations.
func TestWeights(t *testing.T) {
	t.Parallel()
	s := open(t, []string{`actions.go: {"type":"forward","forwardConfig":{"targetGroups":[` +
		`{"serviceName":"a","servicePort":80,"weight":3},{"serviceName":"b","servicePort":80,"weight":1}]}}`}, host("", "Prefix / @go"))
	c := s.newClient("")
	c.http.Jar = nil
	got := count(func() *client { return c })
	// A binomial share of 1/4 of 400 deviates by sqrt(400 · 1/4 · 3/4) = 8.7.
	if got["a"]+got["b"] != requests || got["b"] < 48 || got["b"] > 152 {
		t.Errorf("a with weight 3 and b with weight 1 answered %v of %d", got, requests)
	}
}

// TestSticky: what keeps a client where it was, and that other clients go elsewhere.
func TestSticky(t *testing.T) {
	t.Parallel()
	const shares = `{"serviceName":"a","servicePort":80,"weight":1},{"serviceName":"b","servicePort":80,"weight":1}`
	for _, row := range []struct {
		name, why string
		settings  []string
		backend   string
		// cookie is one that the load balancer sets, kinds the pods that clients find.
		cookie string
		kinds  int
		sticky bool
	}{
		{
			name: "groups", why: "targetGroupStickinessConfig keeps a client with its target group", backend: "@go", cookie: "AWSALBTG", kinds: 2, sticky: true,
			settings: []string{`actions.go: {"type":"forward","forwardConfig":{"targetGroups":[` + shares + `],"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":604800}}}`},
		},
		{
			name: "groups not sticky", why: "stickiness that is not enabled keeps nobody", backend: "@go", kinds: 2,
			settings: []string{`actions.go: {"type":"forward","forwardConfig":{"targetGroups":[` + shares + `],"targetGroupStickinessConfig":{"enabled":false}}}`},
		},
		{
			name: "lb_cookie", why: "a cookie of the load balancer keeps a client with its target", backend: "many", cookie: "AWSALB", kinds: 3, sticky: true,
			settings: []string{"target-group-attributes: stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds=604800"},
		},
		{
			name: "app_cookie", why: "a cookie of the application keeps a client with its target, by one of the load balancer beside it",
			backend: "many", cookie: "AWSALBAPP-0", kinds: 3, sticky: true,
			settings: []string{"target-group-attributes: stickiness.enabled=true,stickiness.type=app_cookie,stickiness.app_cookie.cookie_name=session," +
				"stickiness.app_cookie.duration_seconds=604800"},
		},
		{name: "no attribute", why: "nothing keeps a client where nothing is said of it", backend: "many", kinds: 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			t.Log(row.why)
			s := open(t, row.settings, host("", "Prefix / "+row.backend))
			first := map[string]bool{}
			for range 40 {
				c := s.newClient("")
				// The pod sets the application's cookie where it is asked to.
				was := c.pod(ask{to: shop().to, header: "X-Echo-Set-Header: Set-Cookie:session=1; Path=/"})
				first[was] = true
				if row.cookie != "" && !c.holds(row.cookie) {
					t.Fatalf("the load balancer set no cookie %s", row.cookie)
				}
				if stayed := c.stays(was); row.sticky && !stayed {
					t.Errorf("a client of %s went elsewhere", was)
				}
			}
			if len(first) != row.kinds {
				t.Errorf("clients found %v, want %d pods", first, row.kinds)
			}
			if c := s.newClient(""); !row.sticky && count(func() *client { return c })[c.pod(shop())] == requests {
				t.Errorf("the client was kept by nothing that it asked for")
			}
		})
	}
}

// holds tells whether the client has a cookie.
func (c *client) holds(name string) bool {
	c.stage.t.Helper()
	request, err := c.request(shop())
	if err != nil {
		c.stage.t.Fatal(err)
	}
	for _, cookie := range c.http.Jar.Cookies(request.URL) {
		if cookie.Name == name {
			return true
		}
	}
	return false
}

// stays tells whether some more requests of the client go to the same pod.
func (c *client) stays(was string) bool {
	for range 5 {
		if c.pod(shop()) != was {
			return false
		}
	}
	return true
}

// TestAlgorithm: round robin takes target by target, whatever the algorithm's default shares are by chance.
func TestAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"round_robin", "least_outstanding_requests", "weighted_random"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			s := open(t, []string{"target-group-attributes: load_balancing.algorithm.type=" + algorithm}, host("", "Prefix / many"))
			c := s.newClient("")
			got := count(func() *client { return c })
			low, high := requests/6, requests/2
			if algorithm == "round_robin" {
				low, high = requests/3, requests/3+1
			}
			for _, name := range []string{"m1", "m2", "m3"} {
				if got[name] < low || got[name] > high {
					t.Errorf("%s took %d of %d, want %d to %d: %v", name, got[name], requests, low, high, got)
				}
			}
		})
	}
}

// TestTargetGroupOfTheUser: actions forward to target groups by ARN and name, in the long and the short form.
func TestTargetGroupOfTheUser(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	arn := s.group("mine", "b")
	var settings, paths []string
	for i, action := range []string{
		`"targetGroupARN":"` + arn + `"`, `"targetGroupName":"mine"`,
		`"forwardConfig":{"targetGroups":[{"targetGroupARN":"` + arn + `"}]}`, `"forwardConfig":{"targetGroups":[{"targetGroupName":"mine"}]}`,
	} {
		settings = append(settings, fmt.Sprintf(`actions.go%d: {"type":"forward",%s}`, i, action))
		paths = append(paths, fmt.Sprintf("Prefix /%d @go%d", i, i))
	}
	if got := s.apply(web(settings, []string{host("", paths...)}, "")); len(got) > 0 {
		t.Fatalf("found %v", got)
	}
	s.sim.Settle(t.Context())
	s.await(model.ARN(arn), map[string]string{s.pods["b"][0].address: "healthy"})
	for i := range paths {
		s.check(t, []ask{{to: fmt.Sprintf("GET http://shop.example.com/%d", i), want: fmt.Sprintf("b: GET shop.example.com/%d", i)}})
	}
}
