package fabric_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/fabric"
)

func TestRulesNameTheirTests(t *testing.T) {
	t.Parallel()
	contract.WantFacts(t, fabric.Rules)
}
