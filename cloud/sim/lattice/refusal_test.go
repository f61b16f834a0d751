package lattice_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/fault"
)

func status(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// TestRefusals sees what no input brings about.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, code string
		status    int
		d         sim.Disturbances
	}{
		{"a policy", "AccessDeniedException", http.StatusForbidden, sim.Disturbances{
			Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"vpc-lattice:Get*","Resource":"*"}]}`),
		}},
		{"no token left", "ThrottlingException", http.StatusTooManyRequests, sim.Disturbances{
			Throttling: fault.Limits{"vpc-lattice": {{Size: 1, Refill: 0.001}}},
		}},
		{"AWS itself", "InternalServerException", http.StatusInternalServerError, sim.Disturbances{
			Faults: []fault.Fault{{Service: "vpc-lattice", Code: "InternalServerException"}},
		}},
	} {
		f := start(t)
		if err := f.Sim.Disturb(row.d); err != nil {
			t.Fatal(err)
		}
		_, err := f.api.ListServices(t.Context(), &sdk.ListServicesInput{}) // takes the token
		if row.status == http.StatusTooManyRequests {
			contract.WantCode(t, err, "")
		}
		_, err = f.api.CreateService(t.Context(), &sdk.CreateServiceInput{Name: aws.String("web")})
		if got := contract.APICode(err); got != row.code || status(err) != row.status {
			t.Errorf("%s: %s %d: %v", row.why, got, status(err), err)
		}
	}
}

// TestLargeQuotas reaches those for which there is much to make, and looks at what the error says.
func TestLargeQuotas(t *testing.T) {
	t.Parallel()
	f := start(t)
	web, network, group := f.service("web"), f.network("net"), f.group("group")
	const call, calls = 100, 10
	register := func(batch, targets int) error {
		var all []types.Target
		for i := range targets {
			all = append(all, types.Target{Id: aws.String(fmt.Sprintf("10.0.%d.%d", batch, i+1))})
		}
		_, err := f.api.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{TargetGroupIdentifier: group, Targets: all})
		return err
	}
	for i := range calls {
		contract.WantCode(t, register(i, call), "")
	}
	contract.WantCode(t, register(calls, call+1), refused)
	err := register(calls, 1)
	if over, ok := errors.AsType[*types.ServiceQuotaExceededException](err); !ok || status(err) != http.StatusPaymentRequired || *over.ServiceCode != "vpc-lattice" {
		t.Errorf("one target more: %v", err)
	}

	associate := func(service *string) error {
		_, err := f.api.CreateServiceNetworkServiceAssociation(t.Context(), &sdk.CreateServiceNetworkServiceAssociationInput{
			ServiceIdentifier: service, ServiceNetworkIdentifier: network,
		})
		return err
	}
	for i := range 500 {
		contract.WantCode(t, associate(f.service(fmt.Sprintf("web%d", i))), "")
	}
	contract.WantCode(t, associate(web), many)

	var all []*string
	for i := range 11 {
		all = append(all, f.group(fmt.Sprintf("group%d", i)))
	}
	l, err := f.listener(web, "http", 80, forward(all[:9]...))
	contract.WantCode(t, err, "")
	_, err = f.api.UpdateListener(t.Context(), &sdk.UpdateListenerInput{ServiceIdentifier: web, ListenerIdentifier: l, DefaultAction: forward(all[2:]...)})
	contract.WantCode(t, err, many)
	r, err := f.rule(web, l, 1, path("/a"), fixed(404))
	contract.WantCode(t, err, "")
	_, err = f.api.UpdateRule(t.Context(), &sdk.UpdateRuleInput{ServiceIdentifier: web, ListenerIdentifier: l, RuleIdentifier: r, Action: forward(all[9:]...)})
	contract.WantCode(t, err, many)
}
