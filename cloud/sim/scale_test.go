package sim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/headgate/headgate/cloud/sim"
	simelb "github.com/headgate/headgate/cloud/sim/elb"
)

// How much is held at once.
const (
	manyBalancers = 2_000
	groupsEach    = 5
	targetsEach   = 10
)

// crowd is a simulator that holds much, called without a network between.
type crowd struct {
	testing.TB
	sim       *sim.Simulator
	handler   http.Handler
	balancers []string
	groups    []string
}

// call sends a form to Elastic Load Balancing and gives the answer.
func (c *crowd) call(action string, parameters ...string) string {
	c.Helper()
	form := url.Values{"Action": {action}, "Version": {"2015-12-01"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	r := httptest.NewRequestWithContext(c.Context(), http.MethodPost, "/", strings.NewReader(form.Encode()))
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		c.Fatalf("%s: %d %s", action, w.Code, w.Body)
	}
	return w.Body.String()
}

func first(tb testing.TB, answer, element string) string {
	tb.Helper()
	m := regexp.MustCompile("<" + element + ">([^<]*)</" + element + ">").FindStringSubmatch(answer)
	if m == nil {
		tb.Fatalf("no %s in %s", element, answer)
	}
	return m[1]
}

// gather makes load balancers with their groups and targets.
func gather(tb testing.TB, balancers int) *crowd {
	tb.Helper()
	s, err := sim.New(sim.Options{Linger: -1, Quotas: simelb.Quotas{
		ApplicationLoadBalancers: balancers + 1, TargetGroups: balancers*groupsEach + 1,
	}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	c := &crowd{TB: tb, sim: s, handler: s.Handler()}
	for i := range balancers {
		c.addBalancer(i)
	}
	return c
}

func (c *crowd) addBalancer(i int) {
	c.Helper()
	w := c.sim.World()
	lb := first(c, c.call("CreateLoadBalancer", "Name", fmt.Sprint("lb", i), "Subnets.member.1", w.PublicSubnets[0], "Subnets.member.2", w.PublicSubnets[1],
		"Tags.member.1.Key", "team", "Tags.member.1.Value", strconv.Itoa(i%10)), "LoadBalancerArn")
	c.balancers = append(c.balancers, lb)
	parameters := []string{"LoadBalancerArn", lb, "Port", "80", "Protocol", "HTTP", "DefaultActions.member.1.Type", "forward"}
	for j := range groupsEach {
		group := c.addGroup(fmt.Sprintf("g%d-%d", i, j))
		tuple := fmt.Sprintf("DefaultActions.member.1.ForwardConfig.TargetGroups.member.%d.", j+1)
		parameters = append(parameters, tuple+"TargetGroupArn", group, tuple+"Weight", "1")
	}
	c.call("CreateListener", parameters...)
}

func (c *crowd) addGroup(name string) string {
	c.Helper()
	group := first(c, c.call("CreateTargetGroup", "Name", name, "Protocol", "HTTP", "Port", "80", "VpcId", c.sim.World().VPC, "TargetType", "ip",
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "a"), "TargetGroupArn")
	c.groups = append(c.groups, group)
	parameters := []string{"TargetGroupArn", group}
	for k := range targetsEach {
		n := len(c.groups)*targetsEach + k
		parameters = append(parameters, fmt.Sprintf("Targets.member.%d.Id", k+1), fmt.Sprintf("10.0.%d.%d", 128+n/250%64, 4+n%250))
	}
	c.call("RegisterTargets", parameters...)
	return group
}

// pages counts the items of a list over all its pages.
func (c *crowd) pages(action, element string) (pages, items int) {
	c.Helper()
	next := regexp.MustCompile("<NextMarker>([^<]*)</NextMarker>")
	marker := ""
	for {
		parameters := []string{}
		if marker != "" {
			parameters = []string{"Marker", marker}
		}
		answer := c.call(action, parameters...)
		pages, items = pages+1, items+strings.Count(answer, "<"+element+">")
		m := next.FindStringSubmatch(answer)
		if m == nil {
			return pages, items
		}
		marker = m[1]
	}
}

// TestCrowd is the benchmark's world in small: what it lists is all there.
func TestCrowd(t *testing.T) {
	t.Parallel()
	c := gather(t, 100)
	if pages, items := c.pages("DescribeTargetGroups", "TargetGroupName"); pages != 2 || items != 100*groupsEach {
		t.Errorf("%d target groups on %d pages", items, pages)
	}
	if pages, items := c.pages("DescribeLoadBalancers", "LoadBalancerName"); pages != 1 || items != 100 {
		t.Errorf("%d load balancers on %d pages", items, pages)
	}
}

// BenchmarkCrowd calls a simulator that holds 2,000 load balancers, 10,000 target groups and 100,000 targets.
func BenchmarkCrowd(b *testing.B) {
	c := gather(b, manyBalancers)
	spare := c.addGroup("spare")
	b.Run("Memory", func(b *testing.B) {
		for b.Loop() {
			runtime.GC()
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "MiB")
	})
	rows := []struct {
		name string
		call func()
	}{
		{"DescribeLoadBalancers/page", func() { c.call("DescribeLoadBalancers") }},
		{"DescribeLoadBalancers/one", func() { c.call("DescribeLoadBalancers", "LoadBalancerArns.member.1", c.balancers[len(c.balancers)/2]) }},
		{"DescribeLoadBalancers/name", func() { c.call("DescribeLoadBalancers", "Names.member.1", "lb1000") }},
		{"DescribeTargetGroups/page", func() { c.call("DescribeTargetGroups") }},
		{"DescribeTargetGroups/all", func() { c.pages("DescribeTargetGroups", "TargetGroupName") }},
		{"DescribeTargetGroups/balancer", func() { c.call("DescribeTargetGroups", "LoadBalancerArn", c.balancers[len(c.balancers)/2]) }},
		{"DescribeTargetHealth", func() { c.call("DescribeTargetHealth", "TargetGroupArn", c.groups[len(c.groups)/2]) }},
		{"DescribeTags/20", func() { c.tags() }},
		{"RegisterTargets", func() { c.call("RegisterTargets", "TargetGroupArn", spare, "Targets.member.1.Id", "10.0.128.77") }},
		{"CreateListener+Delete", func() { c.relisten() }},
		{"CreateLoadBalancer+Delete", func() { c.rebalance() }},
		{"GetResources/page", func() { c.resources(`{"TagFilters":[{"Key":"team","Values":["3"]}]}`) }},
		{"State", func() { c.sim.State() }},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				row.call()
			}
		})
	}
}

func (c *crowd) tags() {
	c.Helper()
	var parameters []string
	for i := range 20 {
		parameters = append(parameters, fmt.Sprintf("ResourceArns.member.%d", i+1), c.balancers[i])
	}
	c.call("DescribeTags", parameters...)
}

// relisten makes a listener and deletes it.
func (c *crowd) relisten() {
	c.Helper()
	answer := c.call("CreateListener", "LoadBalancerArn", c.balancers[0], "Port", "81", "Protocol", "HTTP", "DefaultActions.member.1.Type", "forward",
		"DefaultActions.member.1.TargetGroupArn", c.groups[0])
	c.call("DeleteListener", "ListenerArn", first(c, answer, "ListenerArn"))
}

func (c *crowd) rebalance() {
	c.Helper()
	w := c.sim.World()
	answer := c.call("CreateLoadBalancer", "Name", "more", "Subnets.member.1", w.PublicSubnets[1], "Subnets.member.2", w.PublicSubnets[2])
	c.call("DeleteLoadBalancer", "LoadBalancerArn", first(c, answer, "LoadBalancerArn"))
}

// resources asks the tagging API.
func (c *crowd) resources(body string) {
	c.Helper()
	r := httptest.NewRequestWithContext(c.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "ResourceGroupsTaggingAPI_20170126.GetResources")
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		c.Fatalf("%d %s", w.Code, w.Body)
	}
}
