package crash

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/test/world"
)

// trouble is something that AWS does to the operator while it creates, changes and deletes.
type trouble struct {
	why          string
	disturbances sim.Disturbances
	// reason that Programmed=False of a load balancer shows while it lasts; empty where it passes by itself, and nobody need be told.
	reason string
}

// TestTrouble plays the shop scenario through each trouble (invariants 2 and 3): the end is that of an undisturbed run, nothing is
// made twice, and nothing is left. What somebody has to mend is told, and once it is mended the operator goes on by itself.
func TestTrouble(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	t.Run("kinds", func(t *testing.T) {
		t.Parallel()
		for i, one := range troubles(awsActions()) {
			for _, retention := range retentions(i) {
				t.Run(fmt.Sprintf("%s, retention %s", one.why, retention), func(t *testing.T) {
					t.Parallel()
					p := newPlay(t, common.World, fmt.Sprintf("trouble-%d-%s", i, retention))
					p.retention = retention
					p.suffer(one)
				})
			}
		}
	})
}

// awsActions are all that an undisturbed run calls.
func awsActions() []string {
	all := map[string]bool{}
	for _, calls := range common.calls {
		for action := range calls {
			all[action] = !inTheCluster(action)
		}
	}
	maps.DeleteFunc(all, func(_ string, aws bool) bool { return !aws })
	return slices.Sorted(maps.Keys(all))
}

func (p *play) suffer(of trouble) {
	p.t.Helper()
	if err := p.Sim.Disturb(of.disturbances); err != nil {
		p.t.Fatal(err)
	}
	p.start(nil, common.Config())
	for _, phase := range phases {
		phase.act(p)
		if of.reason != "" {
			p.told(of.reason)
			if err := p.Sim.Disturb(sim.Disturbances{}); err != nil {
				p.t.Fatal(err)
			}
			of.reason = ""
		}
		p.reach(phase.name, common.reference[phase.name])
	}
	p.gone()
	// What fails changes what is called, by a little.
	missed := 0
	for _, f := range p.Sim.Disturbances().Faults {
		if f.Failed == 0 && f.Nth == 1 {
			missed++
		}
	}
	if missed > len(of.disturbances.Faults)/4 {
		p.t.Errorf("of %d actions that should have failed %d did not", len(of.disturbances.Faults), missed)
	}
}

// told waits until a load balancer shows why it is not programmed. Where none can be planned yet, the Gateway does.
func (p *play) told(reason string) {
	p.t.Helper()
	p.Eventually("a load balancer shows "+reason, func() error {
		all, err := p.shown()
		if err != nil {
			return err
		}
		g := &gwv1.Gateway{}
		if err := p.World.Client.Get(p.t.Context(), types.NamespacedName{Namespace: p.Name, Name: "public"}, g); err != nil {
			return err
		}
		conditions := map[string][]metav1.Condition{"the Gateway": g.Status.Conditions}
		for i := range all {
			conditions[all[i].Name] = all[i].Status.Conditions
		}
		var shown []string
		for name, of := range conditions {
			c := meta.FindStatusCondition(of, headgatev1alpha1.ConditionProgrammed)
			if c != nil && c.Reason == reason {
				return nil
			}
			shown = append(shown, fmt.Sprintf("%s: %v", name, c))
		}
		return fmt.Errorf("they show %v", shown)
	})
}

// troubles are those of the issue: calls that fail before and after their effect, cut connections, throttling, a permission that is
// missing, a quota that is reached, and lists that do not know what was made.
func troubles(actions []string) []trouble {
	var out []trouble
	for n := 1; n <= 3; n++ {
		out = append(out,
			trouble{why: fmt.Sprintf("call %d of each action fails before its effect", n), disturbances: each(actions, fault.Fault{Nth: n})},
			trouble{why: fmt.Sprintf("call %d of each action fails after its effect", n), disturbances: each(actions, fault.Fault{Nth: n, When: fault.After})},
			trouble{why: fmt.Sprintf("call %d of each action is cut before its effect", n), disturbances: each(actions, fault.Fault{Nth: n, Cut: true})},
			trouble{why: fmt.Sprintf("call %d of each action is cut after its effect", n), disturbances: each(actions, fault.Fault{Nth: n, Cut: true, When: fault.After})},
		)
	}
	late := sim.Consistency{Lists: seconds(3), Names: seconds(1)}
	if *every {
		late = sim.Consistency{Lists: seconds(30), Names: seconds(30)}
	}
	return append(out,
		trouble{why: "a third of the operator's first calls fail by chance", disturbances: sim.Disturbances{Faults: []fault.Fault{{Chance: 0.33, Times: 150}}}},
		trouble{why: "throttled far below AWS's limits", disturbances: sim.Disturbances{Throttling: tight()}},
		trouble{why: "lists know what was made only seconds later", disturbances: sim.Disturbances{Consistency: sim.Consistency{Lists: late.Lists}}},
		trouble{why: "names are known only later", disturbances: sim.Disturbances{Consistency: sim.Consistency{Names: late.Names}}},
		trouble{why: "no permission to make listeners", disturbances: sim.Disturbances{Policy: without("elasticloadbalancing:CreateListener")}, reason: "PermissionDenied"},
		trouble{why: "no permission to make target groups", disturbances: sim.Disturbances{Policy: without("elasticloadbalancing:CreateTargetGroup")}, reason: "PermissionDenied"},
		trouble{why: "no permission to make security groups", disturbances: sim.Disturbances{Policy: without("ec2:CreateSecurityGroup")}, reason: "PermissionDenied"},
		trouble{why: "the quota of load balancers is reached", disturbances: full("CreateLoadBalancer", "TooManyLoadBalancers"), reason: "QuotaExceeded"},
		trouble{why: "the quota of target groups is reached", disturbances: full("CreateTargetGroup", "TooManyTargetGroups"), reason: "QuotaExceeded"},
	)
}

// each makes one call of every action fail.
func each(actions []string, like fault.Fault) sim.Disturbances {
	var d sim.Disturbances
	for _, a := range actions {
		like.Action = a
		d.Faults = append(d.Faults, like)
	}
	return d
}

// tight lets through so little that most calls are refused at first: a tenth of AWS's writes, whatever the simulator's speed.
func tight() fault.Limits {
	const size, perSecond = 5, 5
	return fault.Limits{fault.Any: {{Kind: "write", Size: size, Refill: perSecond / float64(world.Speed)}, {Size: size, Refill: perSecond / float64(world.Speed)}}}
}

// seconds of the wall clock, as the simulator counts time.
func seconds(n int) fault.Duration {
	return fault.Duration(time.Duration(n) * time.Second * world.Speed)
}

// without is a policy that allows everything but one action.
func without(action string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":%q,"Resource":"*"}]}`, action))
}

// full refuses an action as AWS does at a quota.
func full(action, code string) sim.Disturbances {
	const status = 400
	return sim.Disturbances{Faults: []fault.Fault{{Action: action, Code: code, Status: status, Message: "a quota is reached"}}}
}
