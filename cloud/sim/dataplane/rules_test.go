package dataplane_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/dataplane"
)

func TestRulesNameTheirTests(t *testing.T) {
	t.Parallel()
	contract.WantFacts(t, dataplane.Rules)
}
