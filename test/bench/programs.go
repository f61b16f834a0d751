package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// suite is benchmarks of one package.
type suite struct {
	pkg, pattern string
	// rows read their figures.
	rows []figure
}

// figure is a row of the first table.
type figure struct {
	name string
	// goal is what is to be reached, in words.
	goal string
	// of makes the text from nanoseconds per operation by benchmark; false where one is missing.
	of func(ns map[string]float64) (string, bool)
}

const (
	nanosecondsPerSecond      = 1e9
	nanosecondsPerMillisecond = 1e6
)

func perSecond(benchmark string) func(map[string]float64) (string, bool) {
	return func(ns map[string]float64) (string, bool) {
		v, ok := ns[benchmark]
		return fmt.Sprintf("%.2f million/s", nanosecondsPerSecond/v/1e6), ok
	}
}

func milliseconds(benchmark string) func(map[string]float64) (string, bool) {
	return func(ns map[string]float64) (string, bool) {
		v, ok := ns[benchmark]
		return fmt.Sprintf("%.2f ms", v/nanosecondsPerMillisecond), ok
	}
}

func suites() []suite {
	const rules, proxy, crowd, thousand = "BenchmarkEvaluate/", "BenchmarkProxy/", "BenchmarkCrowd/", "BenchmarkThousandRoutes/1000/"
	held := "2,000 load balancers, 10,000 target groups, 100,000 targets held: "
	return []suite{
		{"./test/bench", "ThousandRoutes", []figure{
			{"the operator, one of 1,000 HTTPRoutes of a Gateway changed: reading copies from the cache", "", milliseconds(thousand + "load")},
			{"the operator, 1,000 HTTPRoutes of a Gateway: judging them all", "", milliseconds(thousand + "judge")},
			{"the operator, one of 1,000 HTTPRoutes of a Gateway changed: judging that one", "", milliseconds(thousand + "judge_one")},
			{"the operator, 1,000 HTTPRoutes of a Gateway: building them all", "", milliseconds(thousand + "build")},
			{"the operator, one of 1,000 HTTPRoutes of a Gateway changed: build and diff", "20 ms", func(ns map[string]float64) (string, bool) {
				build, diff := ns[thousand+"build_one"], ns[thousand+"diff_one"]
				return fmt.Sprintf("%.2f ms and %.2f ms", build/nanosecondsPerMillisecond, diff/nanosecondsPerMillisecond), build > 0 && diff > 0
			}},
		}},
		{"./cloud/sim/dataplane", "Evaluate|Proxy", []figure{
			{"rule evaluator, 100 rules by host", "1 million requests/s a core", perSecond(rules + "hosts")},
			{"rule evaluator, 100 rules by path", "1 million requests/s a core", perSecond(rules + "paths")},
			{"rule evaluator, 100 mixed rules", "1 million requests/s a core", perSecond(rules + "mixed")},
			{"data plane, requests beside the standard library's reverse proxy", "0.6 of it", func(ns map[string]float64) (string, bool) {
				standard, ours := ns[proxy+"standard"], ns[proxy+"ours"]
				return fmt.Sprintf("%.2f of it (%.0f/s and %.0f/s)", standard/ours, nanosecondsPerSecond/ours, nanosecondsPerSecond/standard),
					standard > 0 && ours > 0
			}},
		}},
		{"./cloud/sim", "Crowd", []figure{
			{held + "a page of load balancers", "", milliseconds(crowd + "DescribeLoadBalancers/page")},
			{held + "one load balancer", "", milliseconds(crowd + "DescribeLoadBalancers/one")},
			{held + "a page of target groups", "", milliseconds(crowd + "DescribeTargetGroups/page")},
			{held + "tags of 20 resources", "", milliseconds(crowd + "DescribeTags/20")},
			{held + "a target registered", "", milliseconds(crowd + "RegisterTargets")},
			{held + "memory", "bounded", func(ns map[string]float64) (string, bool) {
				v, ok := ns[crowd+"Memory MiB"]
				return fmt.Sprintf("%.0f MiB", v), ok
			}},
		}},
	}
}

// programs runs Go's benchmarks.
func programs(ctx context.Context, root string, s settings, out io.Writer) ([][]string, error) {
	var rows [][]string
	for _, of := range suites() {
		var wanted []figure
		for _, f := range of.rows {
			if s.only.MatchString(f.name) {
				wanted = append(wanted, f)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		fmt.Fprintf(out, "Benchmarks of %s\n", of.pkg)
		got, err := benchmarks(ctx, root, of)
		if err != nil {
			return nil, err
		}
		for _, f := range wanted {
			text, ok := f.of(got)
			if !ok {
				return nil, fmt.Errorf("%s was not measured by %s: %w", f.name, of.pkg, errNoFigure)
			}
			rows = append(rows, []string{f.name, f.goal, text})
		}
	}
	return rows, nil
}

func benchmarks(ctx context.Context, root string, of suite) (map[string]float64, error) {
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", of.pattern, "-benchtime", "1s", of.pkg)
	command.Dir = root
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("running the benchmarks of %s: %w: %s%s", of.pkg, err, output, complaints.String())
	}
	return figures(string(output)), nil
}

// figures reads the output of Go's benchmarks: nanoseconds by name, and values of other units by name and unit.
func figures(output string) map[string]float64 {
	out := map[string]float64{}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := fields[0]
		if at := strings.LastIndexByte(name, '-'); at > 0 {
			name = name[:at]
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			switch {
			case err != nil:
			case fields[i+1] == "ns/op":
				out[name] = value
			default:
				out[name+" "+fields[i+1]] = value
			}
		}
	}
	return out
}
