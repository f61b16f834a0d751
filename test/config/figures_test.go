package config_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestGuideHasTheFiguresOfTheCode: who changes a time that the guide tells changes it there. The text is what the figure is told by.
func TestGuideHasTheFiguresOfTheCode(t *testing.T) {
	t.Parallel()
	guide := read(t, "docs", "guide", "operations.md")
	figures := []struct{ in, name, value, text string }{
		{"controllers/outcome/outcome.go", "longest", "30 * time.Second", "tried again with growing pauses, at most half a minute"},
		{"controllers/outcome/outcome.go", "slow", "30 * time.Second", "tried again every half minute"},
		{"controllers/outcome/again.go", "refusedAgain", "25 * time.Second", "else every half minute, with one call"},
		{"controllers/outcome/again.go", "dearlyAgain", "5 * time.Minute", "less and less often, at least every five minutes"},
		{"controllers/outcome/again.go", "Lookup", "15 * time.Second", "it is looked at again within half a minute"},
		{"controllers/outcome/voice.go", "saidFor", "time.Hour", "The same text is said once an hour while it holds."},
		{"controllers/orphan/watch.go", "every", "time.Minute", "The operator itself looks every minute at what it knows"},
		{"controllers/orphan/watch.go", "settled", "5 * time.Minute", "what has been an orphan for five minutes"},
		{"cloud/inventory/facts.go", "quotaLife", "time.Hour", "the figure of a quota that nobody\nmisses is read once an hour"},
		{"cmd/headgate-controller/wire/lease.go", "leaseTime", "15 * time.Second", "fifteen seconds after the last renewal"},
		{"cmd/headgate-controller/wire/lease.go", "renewDeadline", "10 * time.Second", "A leader that cannot renew its lease for ten seconds"},
		{"cmd/headgate-controller/wire/lease.go", "leaseMargin", "time.Second", "calls that it began end a second before another one may lead"},
		{"controllers/stack/pending.go", "planText", "8 << 10", "`text` has the first 8 KiB of a long one"},
		{"controllers/stack/pending.go", "wholePlan", "256 << 10", "A plan of more than 256 KiB compressed is not held whole"},
	}
	for _, f := range figures {
		found := regexp.MustCompile(`(?m)^\s*(?:const )?` + f.name + `\s*=\s*([^/\n]+?)\s*(?://.*)?$`).FindStringSubmatch(read(t, strings.Split(f.in, "/")...))
		if len(found) == 0 || found[1] != f.value {
			t.Errorf("%s: %s is %q and not %s: say so in docs/guide/operations.md, where it says %q", f.in, f.name, found, f.value, f.text)
		}
		if !strings.Contains(guide, f.text) {
			t.Errorf("docs/guide/operations.md does not say %q, by which it told %s of %s", f.text, f.name, f.in)
		}
	}
	flags := read(t, "docs", "reference", "flags.md")
	defaults := []struct{ flag, value, text string }{
		{"target-group-patience", "5m0s", "`--target-group-patience` (5 minutes by default)"},
		{"replaced-load-balancer-retention", "24h0m0s", "(`--replaced-load-balancer-retention`, 24 hours by default)"},
		{"deletion-breaker-percent", "20", "would delete more than 20 % of the load balancers of the cluster"},
		{"deletion-breaker-least", "5", "and at least five, within ten minutes (`--deletion-breaker-percent`"},
		{"deletion-breaker-window", "10m0s", "within ten minutes (`--deletion-breaker-percent`"},
		{"deregistration-breaker-percent", "20", "would take more than 20 % of a group's targets"},
		{"deregistration-breaker-least", "5", "of a group's targets, and at least five"},
		{"deregistration-breaker-window", "10m0s", "within ten minutes\n(`--deregistration-breaker-percent`"},
	}
	for _, d := range defaults {
		if !regexp.MustCompile("(?m)^\\| `--" + d.flag + "` \\| [a-z]+ \\| `" + d.value + "` \\|").MatchString(flags) {
			t.Errorf("--%s is not %s by default any more: say so in docs/guide/operations.md, where it says %q", d.flag, d.value, d.text)
		}
		if !strings.Contains(guide, d.text) {
			t.Errorf("docs/guide/operations.md does not say %q, by which it told the default of --%s", d.text, d.flag)
		}
	}
}
