package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	latticetypes "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/fault"
)

func disturbed(d sim.Disturbances) func(*sim.Options) {
	return func(o *sim.Options) { o.Disturbances = d }
}

// makeGroup makes a target group and gives the error.
func (f *fixture) makeGroup(name string) error {
	_, err := f.elb.CreateTargetGroup(f.Context(), f.groupInput(name))
	return err
}

// groups counts the target groups.
func (f *fixture) groups() int {
	f.Helper()
	out, err := f.elb.DescribeTargetGroups(f.Context(), &elb.DescribeTargetGroupsInput{})
	return len(contract.Must(f, out, err).TargetGroups)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why   string
		fault fault.Fault
		// code is of the call that fails; made is how many groups two calls for the same group leave after the first.
		code string
		made int
	}{
		{"before the effect", fault.Fault{Action: "CreateTargetGroup", Nth: 1}, "InternalFailure", 0},
		{"after the effect", fault.Fault{Action: "CreateTargetGroup", Nth: 1, When: fault.After, Code: "ServiceUnavailable", Status: 503}, "ServiceUnavailable", 1},
		{"a call that fails by itself has no effect to come after", fault.Fault{Action: "CreateRule", Nth: 1, When: fault.After}, "", 1},
	}
	for _, row := range rows {
		f := start(t, disturbed(sim.Disturbances{Faults: []fault.Fault{row.fault}}))
		contract.WantCode(t, f.makeGroup("web"), row.code)
		if n := f.groups(); n != row.made {
			t.Errorf("%s: %d groups", row.why, n)
		}
		contract.WantCode(t, f.makeGroup("web"), "")
		if got := f.Sim.Calls(); got.Of("CreateTargetGroup") != 2 {
			t.Errorf("%s: calls %+v", row.why, got)
		}
	}
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	for when, made := range map[string]int{fault.Before: 0, fault.After: 1} {
		f := start(t, disturbed(sim.Disturbances{Faults: []fault.Fault{{Kind: "write", Times: 1, When: when, Cut: true}}}))
		err := f.makeGroup("web")
		var api smithy.APIError
		if err == nil || errors.As(err, &api) {
			t.Errorf("%s: %v is not a broken connection", when, err)
		}
		if n := f.groups(); n != made {
			t.Errorf("%s: %d groups", when, n)
		}
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	one := []fault.Bucket{{Size: 1, Refill: 0.5}}
	f := start(t, disturbed(sim.Disturbances{Throttling: fault.Limits{fault.Any: one}}))
	calls := []struct {
		code string
		call func() error
	}{
		{"Throttling", func() error { return f.makeGroup("web") }},
		{"RequestLimitExceeded", func() error { _, err := f.ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}); return err }},
		{"ThrottlingException", func() error { _, err := f.acm.ListCertificates(t.Context(), &acm.ListCertificatesInput{}); return err }},
	}
	for _, row := range calls {
		contract.WantCode(t, row.call(), "")
		contract.WantCode(t, row.call(), row.code)
	}
	f.Pass(2 * time.Second)
	for _, row := range calls {
		contract.WantCode(t, row.call(), "")
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	var slept []time.Duration
	f := start(t, func(o *sim.Options) {
		o.Speed, o.Disturbances.Latency = 10, fault.Latency{"read": 40 * time.Millisecond, "elasticloadbalancing:CreateTargetGroup": time.Second}
		o.Sleep = func(_ context.Context, d time.Duration) { slept = append(slept, d) }
	})
	contract.WantCode(t, f.makeGroup("web"), "")
	f.groups()
	f.balancer("web")
	if diff := cmp.Diff([]time.Duration{100 * time.Millisecond, 4 * time.Millisecond, 0}, slept); diff != "" {
		t.Error(diff)
	}
}

func TestDisturbancesPage(t *testing.T) {
	t.Parallel()
	f := start(t, disturbed(sim.Disturbances{Latency: fault.Latency{"read": time.Millisecond}}))
	rows := []struct {
		why, method, body string
		status            int
	}{
		{"faults are put", http.MethodPut, `{"faults": [{"action": "CreateTargetGroup", "every": 2}]}`, http.StatusNoContent},
		{"latency is replaced, throttling put", http.MethodPut, `{"latency": {"write": "2ms"}, "throttling": "aws"}`, http.StatusNoContent},
		{"consistency too", http.MethodPut, `{"consistency": {"lists": "3s"}}`, http.StatusNoContent},
		{"parts are known", http.MethodPut, `{"faulty": []}`, http.StatusBadRequest},
		{"and their settings", http.MethodPut, `{"faults": [{"act": "x"}]}`, http.StatusBadRequest},
		{"faults are checked", http.MethodPut, `{"faults": [{"when": "never"}]}`, http.StatusBadRequest},
		{"policies too", http.MethodPut, `{"policy": {"Version": "1"}}`, http.StatusBadRequest},
	}
	for _, row := range rows {
		if status, body := f.send(row.method, "/_sim/faults", row.body); status != row.status {
			t.Errorf("%s: status %d %s", row.why, status, body)
		}
	}
	contract.WantCode(t, f.makeGroup("a"), "")
	contract.WantCode(t, f.makeGroup("b"), "InternalFailure")
	_, body := f.send(http.MethodGet, "/_sim/faults", "")
	var got sim.Disturbances
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := sim.Disturbances{
		Faults: []fault.Fault{{Action: "CreateTargetGroup", Every: 2, Seen: 2, Failed: 1}}, Latency: fault.Latency{"write": 2 * time.Millisecond},
		Throttling: fault.AWS(), Consistency: sim.Consistency{Lists: fault.Duration(3 * time.Second)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f.send(http.MethodPut, "/_sim/faults", `{"faults": null}`)
	if got := f.Sim.Disturbances(); got.Faults != nil || got.Throttling == nil {
		t.Errorf("after taking faults away: %+v", got)
	}
	f.send(http.MethodDelete, "/_sim/faults", "")
	if diff := cmp.Diff(sim.Disturbances{}, f.Sim.Disturbances()); diff != "" {
		t.Error(diff)
	}
	f.send(http.MethodPost, "/_sim/reset", "")
	if diff := cmp.Diff(sim.Disturbances{Latency: fault.Latency{"read": time.Millisecond}}, f.Sim.Disturbances()); diff != "" {
		t.Error("a reset goes back to the start:", diff)
	}
}

func TestBadDisturbances(t *testing.T) {
	t.Parallel()
	for _, d := range []sim.Disturbances{
		{Faults: []fault.Fault{{Nth: -1}}}, {Throttling: fault.Limits{"ec2": {{}}}}, {Policy: json.RawMessage(`{}`)},
		{Faults: []fault.Fault{{Service: "elbv2"}}}, {Faults: []fault.Fault{{Service: "ec2", Action: "CreateRule"}}}, {Faults: []fault.Fault{{Action: "Nothing*"}}},
		{Latency: fault.Latency{"reads": 1}}, {Latency: fault.Latency{"ec2:DescribeRules": 1}},
		{Throttling: fault.Limits{"elbv2": {{Size: 1, Refill: 1}}}}, {Throttling: fault.Limits{"ec2": {{Size: 1, Refill: 1, Actions: []string{"Nothing*"}}}}},
	} {
		if s, err := sim.New(sim.Options{Disturbances: d}); err == nil {
			t.Errorf("%+v was taken", d)
			_ = s.Close()
		}
	}
}

// TestFaultsThatComeLater lets what VPC Lattice began end badly, and all of it be made again.
func TestFaultsThatComeLater(t *testing.T) {
	t.Parallel()
	f := start(t)
	api := vpclattice.NewFromConfig(f.Config)
	doom := func(action string) {
		t.Helper()
		later := fault.Fault{Service: "vpc-lattice", Action: action, Times: 1, When: fault.Later, Code: "Unlucky", Message: "by chance"}
		if err := f.Sim.Disturb(sim.Disturbances{Faults: []fault.Fault{later}}); err != nil {
			t.Fatal(err)
		}
	}
	state := func(id *string) string {
		out, err := api.GetService(t.Context(), &vpclattice.GetServiceInput{ServiceIdentifier: id})
		if err != nil {
			return contract.APICode(err)
		}
		return fmt.Sprint(out.Status, aws.ToString(out.FailureCode), aws.ToString(out.FailureMessage))
	}
	remove := func(id *string) string {
		_, err := api.DeleteService(t.Context(), &vpclattice.DeleteServiceInput{ServiceIdentifier: id})
		return contract.APICode(err)
	}
	doom("*")
	_, err := api.CreateServiceNetwork(t.Context(), &vpclattice.CreateServiceNetworkInput{Name: aws.String("net")}) // begins nothing
	contract.WantCode(t, err, "")
	made, err := api.CreateService(t.Context(), &vpclattice.CreateServiceInput{Name: aws.String("web")})
	id := contract.Must(t, made, err).Id
	got := []string{state(id)}
	f.Pass(time.Minute)
	_, err = api.CreateListener(t.Context(), &vpclattice.CreateListenerInput{
		ServiceIdentifier: id, Name: aws.String("http"), Protocol: latticetypes.ListenerProtocolHttp,
		DefaultAction: &latticetypes.RuleActionMemberFixedResponse{Value: latticetypes.FixedResponseAction{StatusCode: aws.Int32(404)}},
	})
	got = append(got, state(id), contract.APICode(err))
	doom("DeleteService")
	got = append(got, remove(id), state(id))
	f.Pass(time.Minute)
	saved, err := f.Sim.Save()
	if err == nil {
		err = f.Sim.Load(saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, state(id), remove(id))
	f.Pass(time.Minute)
	got = append(got, state(id))
	want := []string{
		"CREATE_IN_PROGRESS", "CREATE_FAILEDUnluckyby chance", "ConflictException", "", "DELETE_IN_PROGRESS", "DELETE_FAILEDUnluckyby chance", "",
		"ResourceNotFoundException",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
