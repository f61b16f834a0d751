package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headgate/headgate/cloud/sim/accelerator"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/cognito"
	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/fabric"
	"github.com/headgate/headgate/cloud/sim/iam"
	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/lattice"
	"github.com/headgate/headgate/cloud/sim/shield"
	"github.com/headgate/headgate/cloud/sim/storage"
	"github.com/headgate/headgate/cloud/sim/tagging"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/waf"
	"github.com/headgate/headgate/cloud/sim/zones"
)

// The lines of the simulator's page between which its tables stand.
const (
	tableStart = "<!-- written by make generate: "
	tableEnd   = "<!-- end -->"
)

// checks are what each service of the simulator says of its operations, by the service's name.
func checks() map[string]map[string]string {
	return map[string]map[string]string{
		"elasticloadbalancing": elb.Checks(),
		"ec2":                  vpc.Checks(),
		"acm":                  cert.Checks(),
		"sts":                  identity.Checks(),
		"tagging":              tagging.Checks(),
		"wafv2":                waf.Checks(),
		"waf-regional":         waf.ClassicChecks(),
		"shield":               shield.Checks(),
		"cognito-idp":          cognito.Checks(),
		"iam":                  iam.Checks(),
		"globalaccelerator":    accelerator.Checks(),
		"route53":              zones.Checks(),
		"s3":                   storage.Checks(),
		"vpc-lattice":          lattice.Checks(),
	}
}

// tables are the tables of the simulator's page by their names.
func tables() map[string]string {
	out := map[string]string{"data plane": factTable(dataplane.Rules), "data plane of VPC Lattice": factTable(fabric.Rules)}
	for service, of := range checks() {
		out[service] = checkTable(of)
	}
	return out
}

// checkTable has a row for each operation, and one for several in a row that check the same.
func checkTable(of map[string]string) string {
	var page strings.Builder
	page.WriteString("| action | what is checked, beside that what is named exists, and where that is known from |\n|---|---|\n")
	var names []string
	actions := slices.Sorted(maps.Keys(of))
	for i, action := range actions {
		names = append(names, "`"+action+"`")
		if i+1 < len(actions) && of[actions[i+1]] == of[action] {
			continue
		}
		fmt.Fprintf(&page, "| %s | %s |\n", strings.Join(names, " "), cell(of[action]))
		names = nil
	}
	return page.String()
}

func factTable(facts []dataplane.Fact) string {
	var page strings.Builder
	page.WriteString("| what it does | known from | held by |\n|---|---|---|\n")
	for _, f := range facts {
		fmt.Fprintf(&page, "| %s | %s | `%s` |\n", cell(f.Rule), cell(f.Source), f.Test)
	}
	return page.String()
}

// simulatorPage puts the tables into the page of the simulator.
func simulatorPage() error {
	const name = "simulator.md"
	old, err := os.ReadFile(filepath.Join(target, name))
	if err != nil {
		return fmt.Errorf("reading the page of the simulator: %w", err)
	}
	page, err := fill(string(old), tables())
	if err != nil {
		return err
	}
	return write(name, page)
}

// fill replaces what stands between the marks of each table.
func fill(page string, tables map[string]string) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		start := tableStart + name + " -->\n"
		before, rest, ok := strings.Cut(page, start)
		if !ok {
			return "", fmt.Errorf("the page has no line %q", strings.TrimSpace(start))
		}
		_, after, ok := strings.Cut(rest, tableEnd)
		if !ok {
			return "", fmt.Errorf("the page has no line %q after %q", tableEnd, strings.TrimSpace(start))
		}
		page = before + start + tables[name] + tableEnd + after
	}
	return page, nil
}
