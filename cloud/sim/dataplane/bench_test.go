package dataplane

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// BenchmarkProxy compares a request through the data plane with one through the standard library's reverse proxy.
func BenchmarkProxy(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	b.Cleanup(backend.Close)
	b.Run("standard", func(b *testing.B) {
		to, err := url.Parse(backend.URL)
		if err != nil {
			b.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.SetXForwarded()
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: poolSize, DisableCompression: true},
		}
		server := httptest.NewServer(proxy)
		b.Cleanup(server.Close)
		hammer(b, server.URL)
	})
	b.Run("ours", func(b *testing.B) {
		w := newWorld(b, Options{Speed: 1})
		w.group(groupARN, nil, backend.Listener.Addr().String())
		rules := make([]Rule, 0, 101)
		for i := range 100 {
			rules = append(rules, Rule{
				ARN: strconv.Itoa(i), Conditions: []elbtypes.RuleCondition{paths(fmt.Sprintf("/service-%d/*", i))}, Actions: []elbtypes.Action{forwardTo(groupARN)},
			})
		}
		hammer(b, "http://"+w.listen("HTTP", append(rules, always(fixedAction("404", "")))...))
	})
}

// hammer asks as fast as it can over several connections.
func hammer(b *testing.B, address string) {
	b.Helper()
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(c.CloseIdleConnections)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address+"/service-50/x", http.NoBody)
			if err != nil {
				b.Error(err)
				return
			}
			if err := drain(c, r); err != nil {
				b.Error(err)
			}
		}
	})
}

// drain makes a request and reads the answer, so that the connection can be used again.
func drain(c *http.Client, r *http.Request) error {
	res, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer closeBody(res.Body)
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// BenchmarkUpdate changes one rule of one load balancer among many.
func BenchmarkUpdate(b *testing.B) {
	w := newWorld(b, Options{PortOffset: freePort(b)})
	const groups, balancers = 2000, 400
	for i := range groups {
		w.group("group/"+strconv.Itoa(i), func(g *TargetGroup) { g.InUse = false },
			"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.1:4", "10.0.0.1:5", "10.0.0.1:6", "10.0.0.1:7", "10.0.0.1:8", "10.0.0.1:9", "10.0.0.1:10")
	}
	w.config.LoadBalancers = nil
	for i := range balancers {
		rules := make([]Rule, 0, 20)
		for j := range 20 {
			rules = append(rules, Rule{
				ARN: strconv.Itoa(j), Conditions: []elbtypes.RuleCondition{hosts(fmt.Sprintf("team-%d.test", j))}, Actions: []elbtypes.Action{forwardTo("group/1")},
			})
		}
		w.config.LoadBalancers = append(w.config.LoadBalancers, LoadBalancer{
			ARN: strconv.Itoa(i), Address: loopback(i), Listeners: []Listener{{ARN: strconv.Itoa(i), Port: 1, Protocol: "HTTP", Rules: rules}},
		})
	}
	w.apply()
	b.ResetTimer()
	for i := range b.N {
		w.config.LoadBalancers[0].Listeners[0].Rules = []Rule{always(fixedAction(strconv.Itoa(200+i%100), ""))}
		w.apply()
	}
}
