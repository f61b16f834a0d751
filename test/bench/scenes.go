package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// step is something that is done and measured, and its row with the incumbent's figure and the goal.
type step struct {
	act func(*play, context.Context, measured) (measured, error)
	row measured
}

// mappedPages is why memory is over its goals.
const mappedPages = "36 to 41 MiB of it are pages of the program itself (RssFile of its status); a smaller program, or GOGC below 100 at the " +
	"cost of CPU, would do."

// slowMachine is said of what depends on the processor.
const slowMachine = "Time of a processor depends on the machine, of which the rule evaluator below is a measure: figures here double where it does " +
	"half as many requests."

// scene is one account with what happens in it, in order. The first step waits until everything is made.
type scene struct {
	profile profile
	shape   shape
	steps   []step
}

// scenes have the shapes of the incumbent's figures: each Ingress or route has a host, two paths, two Services, and these three pods.
func scenes() []scene { return slices.Concat(mainScenes(), lesserScenes(), largeScenes()) }

func of(members int, front string) shape { return shape{members, pathsEach, podsEach, front} }

func mainScenes() []scene {
	return []scene{
		{awslike(), of(1, "own"), []step{
			{(*play).build, measured{
				name:      "one Ingress, 2 paths: address / all targets; reads + writes",
				incumbent: "2.4 s / 3.0 s; 26 + 12", goal: "1.2 s; 10 + 12", most: []float64{1.2, 1.2, 10, 12},
			}},
			{(*play).edit, measured{
				name:      "one more path in it: seen / finished; reads + writes; CPU",
				incumbent: "0.77 s; 14 + 1", goal: "",
			}},
		}},
		{awslike(), of(50, "group"), []step{
			{(*play).build, measured{
				name:      "50 Ingresses in one group: last address / all targets; reads + writes",
				incumbent: "39.6 s / 58.7 s; 337 + 306", goal: "5 s / 8 s; 30 reads", most: []float64{5, 8, 30, anything},
				missed: "The first Ingress has a plan of its own, which takes a second; of the others there are 196 changes of 150 ms, eight at a time, " +
					"as the default is: 3.7 s. One plan for all would do, and would have every single Ingress wait for others; so would more at a time.",
			}},
			{(*play).edit, measured{
				name:      "one more path in the first member of 50: seen / finished; reads + writes; CPU",
				incumbent: "7.8 s / 23.6 s; 116 + 102; 2–3 s", goal: "0.4 s / 0.4 s; 2 + 2; 50 ms", most: []float64{0.4, 0.4, 2, 2, 50},
				missed: "Reads are looks at the health of targets that were registered shortly before; the edit makes none (api-calls.md). " + slowMachine,
			}},
			{(*play).churn, measured{
				name:      "pod replaced in a group of 50: RegisterTargets p50 / p99; reads + writes",
				incumbent: "460 / 581 ms; 2.4 + 2", goal: "230 / 300 ms; 1 + 2", most: []float64{230, 300, 1, 2},
			}},
			{(*play).again, measured{
				name:      "restart, group of 50: reads + writes; last call",
				incumbent: "127 + 0; 10.2 s", goal: "10 + 0; 3 s", most: []float64{10, 0, 3},
			}},
			{(*play).weigh, measured{
				name:      "memory with 50 Ingresses",
				incumbent: "89 MiB", goal: "55 MiB", most: []float64{55},
				missed: mappedPages,
			}},
			{(*play).end, measured{
				name:      "delete a group of 50: gone; reads + writes",
				incumbent: "82 s; 212 + 309", goal: "12 s; 106 writes", most: []float64{12, anything, 106},
				missed: "104 are needed; the others are DeleteRule for the first member, whose deletion is seen before those of the others: waiting for " +
					"these would save them, and would have every single deletion wait.",
			}},
		}},
	}
}

// lesserScenes are those of one or two steps.
func lesserScenes() []scene {
	return []scene{
		{throttled(), of(50, "group"), []step{
			{(*play).crowd, measured{
				name:      "50 Ingresses in one group, throttled: last address / all targets; reads + writes; the first Ingress serves",
				incumbent: "42.0 s / 61.0 s; 337 + 316; 10 refused", goal: "59 s; 3 % refused; 5 s", most: []float64{anything, 59, anything, anything, 3, 5},
				missed: "Eight changes and the registrations beside them are under way when AWS refuses the first call, and each burst that ends is found " +
					"out like that. A pace that begins low would do, at the cost of all accounts that are not throttled.",
			}},
		}},
		{awslike(), of(30, "own"), []step{
			{(*play).build, measured{
				name:      "30 Ingresses on load balancers of their own: last address / all targets; reads + writes",
				incumbent: "22.7 s / 23.4 s; 574 + 302", goal: "6 s; 40 reads", most: []float64{anything, 6, 40, anything},
			}},
			{(*play).again, measured{
				name:      "restart, 30 load balancers: reads + writes; last call",
				incumbent: "456 + 0; 13.8 s", goal: "10 + 0; 3 s", most: []float64{10, 0, 3},
			}},
		}},
		{awslike(), of(30, "gateway"), []step{
			{(*play).build, measured{
				name:      "Gateway with 30 routes: last address / all targets; reads + writes",
				incumbent: "4.1 s / 33.9 s; 374 + 186", goal: "5 s; 25 reads", most: []float64{anything, 5, 25, anything},
			}},
		}},
		{plain(), of(10, "group"), []step{
			{(*play).build, measured{
				name:      "10 Ingresses in one group, no latency: last address / all targets; reads + writes",
				incumbent: "0.82 s / 1.96 s; 97 + 66", goal: "",
			}},
			{(*play).broken, measured{
				name:      "one bad member in a group of 10: a valid edit of another lands",
				incumbent: "never", goal: "0.5 s", most: []float64{0.5},
			}},
		}},
		{plain(), shape{20, 1, 500, "own"}, []step{
			{(*play).build, measured{
				name:      "20 load balancers of 500 targets, no latency: last address / all targets; reads + writes",
				incumbent: "19.1 s / 21.0 s; 338 + 182", goal: "",
			}},
			{(*play).weigh, measured{
				name:      "memory with 20 load balancers of 500 targets",
				incumbent: "120 MiB", goal: "70 MiB", most: []float64{70},
				missed: mappedPages,
			}},
		}},
	}
}

// largeScenes are those that the incumbent was not measured with.
func largeScenes() []scene {
	return []scene{
		{plain(), of(0, "own"), []step{
			{(*play).weigh, measured{name: "memory, idle", incumbent: "57 MiB", goal: "40 MiB", most: []float64{40}, missed: mappedPages}},
		}},
		{awslike(), shape{900, 1, podsEach, "groups"}, []step{
			{(*play).build, measured{
				name:      "900 Ingresses in 45 groups: last address / all targets; reads + writes",
				incumbent: "–", goal: "",
			}},
			{(*play).again, measured{
				name:      "restart, 900 Ingresses: reads + writes; last call",
				incumbent: "–", goal: "50 + 0; 30 s", most: []float64{50, 0, 30},
			}},
			{(*play).meanwhile, measured{
				name:      "an edit made while it starts, 900 Ingresses: lands after the start of the process",
				incumbent: "–", goal: "5 s", most: []float64{5},
				missed: "Nothing is waited for: the processor reads and judges 900 Ingresses and writes what came of it. " + slowMachine,
			}},
		}},
		{throttled(), shape{20, 1, 500, "own"}, []step{
			{(*play).build, measured{
				name:      "20 load balancers of 500 targets, throttled: last address / all targets; reads + writes",
				incumbent: "–", goal: "",
			}},
			{(*play).busy, measured{
				name:      "pod replaced each second among 10,000, throttled, rules edited all the time: RegisterTargets p50 / p99",
				incumbent: "–", goal: "– / 1,000 ms", most: []float64{anything, 1000},
			}},
		}},
		{plain(), shape{100, 1, 1000, "groups"}, []step{
			{(*play).build, measured{
				name:      "100,000 targets behind 5 load balancers, no latency: last address / all targets; reads + writes",
				incumbent: "–", goal: "",
			}},
			{(*play).weigh, measured{
				name:      "memory with 100,000 targets, and while they were made",
				incumbent: "–", goal: "300 MiB", most: []float64{300},
			}},
			{(*play).weighAgain, measured{
				name:      "memory with 100,000 targets after a restart, and while it started",
				incumbent: "–", goal: "300 MiB (peak 1.3 ×)", most: []float64{300, 1.3},
			}},
		}},
	}
}

// document is the page with both tables.
func document(programs [][]string, operator []measured) string {
	var page strings.Builder
	page.WriteString(`# Performance

Written by ` + "`make bench`" + `: the figures are of one run on one machine, and are better read against each other than alone. Calls are exact; times are not.

The operator is measured as the incumbent, the AWS Load Balancer Controller, was: a real API server; an AWS that takes 40 ms for each read and 150 ms for
each write (AWS-like), and one that besides refuses ELBv2 reads beyond 10 a second and 40 at once, and writes beyond 5 and 20 (throttled); load balancers and
targets are ready at once; 200 rules a load balancer; no leader election. "All targets" is the last accepted RegisterTargets that was needed; calls are
counted until four seconds pass without a write.
`)
	if len(operator) > 0 {
		page.WriteString("\n## The operator\n\n| what | incumbent | goal | here |\n|---|---|---|---|\n")
		for _, r := range operator {
			fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", r.name, r.incumbent, r.goal, r.here)
		}
		page.WriteString("\nGoals that are not reached, and what would reach them:\n\n")
		for _, r := range operator {
			if r.over() {
				fmt.Fprintf(&page, "- *%s:* %s\n", r.name, r.missed)
			}
		}
	}
	if len(programs) > 0 {
		page.WriteString("\n## Programs alone: the simulator, and what the operator computes\n\n| what | goal | here |\n|---|---|---|\n")
		for _, r := range programs {
			fmt.Fprintf(&page, "| %s |\n", strings.Join(r, " | "))
		}
		page.WriteString("\nA change of one route has that one judged, compiled and written down. What is left of the work grows with the thousand: they\n" +
			"are read from the cache, and compared with what is remembered of them and with what AWS holds.\n")
	}
	return page.String()
}
