package stack

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// Cloud is AWS as a reconciler sees it. Its errors are classes of package fault.
type Cloud interface {
	// Facts that come with an error of the class Denied can be built on: what could not be read has its default.
	Facts(ctx context.Context, need model.Needs) (model.Facts, error)
	// Observe reads the resources that owner holds; no keys means all of them.
	Observe(ctx context.Context, owner model.Owner, keys []model.Key) (model.Stack, error)
	// Apply makes the plan's calls and never waits: a step whose condition is not met comes back as waiting.
	Apply(ctx context.Context, p plan.Plan) (model.Outputs, error)
}

// Request is what a front door wants one stack to be.
type Request struct {
	// Intent has one fragment for each member, those that are wrong included.
	Intent intent.Intent
	// Findings of the front door: a [model.Wrong] one puts the member's last good fragment in place of what it wrote.
	Findings []model.Finding
	// Leaving are members of before that want to know when nothing of them is left.
	Leaving []model.ObjectRef
	// Moving are members of before that are members of another stack now: they stay, as they were good here last, until that one serves
	// them. Arriving are members that come so, and have not left the other stack.
	Moving, Arriving []Move
	// Policy says which changes are made without asking, and what becomes of them in the end.
	Policy Policy
	// Published are the addresses that objects show: a frontend that nobody asks for any more is deleted when it is not among them.
	Published []string
	// Anchor is the member that the whole load balancer belongs to, the zero value where no one member does. While the front door
	// finds it wrong and no good state of it is known, nothing is made: not even its settings are known then.
	Anchor model.ObjectRef
	// Adopt is the stack whose load balancer this one takes over where it has none, if that gives it; nil makes a new one.
	Adopt *model.Owner
	// GiveTo is the stack that may take this one's load balancer: nothing of it is changed any more. Nil keeps it.
	GiveTo *model.Owner
	// Permit leaves in a fragment that was good once what is still permitted. Permissions are never part of a fragment; nil
	// permits everything.
	Permit func(intent.Fragment) intent.Fragment
	// Asked is what [Loop.Asked] said before what is asked for was read. A plan makes room when it says something else.
	Asked uint64
	// Reached is told, as soon as all calls of a plan are made, the load balancer and its ports: what follows is only written down. It may be
	// called besides what Run does then, and has returned when Run returns. Nil is not told.
	Reached func(context.Context, Result)
}

// permitted is the part of a fragment that is still permitted.
func (r Request) permitted(f intent.Fragment) intent.Fragment {
	if r.Permit == nil {
		return f
	}
	return r.Permit(f)
}

// Result is what came of a request.
type Result struct {
	// LoadBalancer as AWS holds it, nil when there is none. Where this run could not find out it is what was known last: an address
	// that was published is not taken back for an error.
	LoadBalancer *model.LoadBalancer
	// Replaced are the host names of load balancers that LoadBalancer replaces and that answer yet; Alone says that it does not serve yet
	// itself.
	Replaced []string
	Alone    bool
	// Frontend is the network load balancer in front of it, likewise. Nil also for one that is there, but not to be published any more.
	Frontend *model.LoadBalancer
	// FrontendPorts are its ports with where they lead, sorted.
	FrontendPorts []intent.PortMapping
	// Ports that listen, sorted.
	Ports []int
	// Findings of the front door and of the build.
	Findings []model.Finding
	// Outputs of the plan that was applied.
	Outputs model.Outputs
	// Blocked says why the stack as a whole cannot be built now; empty when it can. Nothing was changed then.
	Blocked string
	// Plan is what was to be done.
	Plan plan.Plan
	// Settled says that AWS holds just what is desired: nothing failed and nothing waits.
	Settled bool
	// Gone says that nothing of the stack is left.
	Gone bool
	// Held says why Plan is not carried out now: it waits for approval, or is only to be shown. Nil where nothing holds it.
	Held *outcome.Held
	// Drift says that AWS did not hold any more what was applied last: somebody else changed it.
	Drift bool
	// RequeueAfter is when to look again, zero when nothing is due.
	RequeueAfter time.Duration
	// Serving tells of each member how it is served.
	Serving []Serving
	// Free are those of Leaving of whom AWS holds nothing any more, also where the stack is not settled.
	Free []model.ObjectRef
	// Coming are those of Arriving that the stack does not serve yet: the address of the stack that they leave is theirs till then.
	Coming []model.ObjectRef
	// Remaining are the fragments of those of Moving that the other stack was seen not to serve yet: they are of this stack's address.
	Remaining []intent.Fragment
}

// Addresses are the host names to publish, in lower case: that of the load balancer, and of one that it replaces, which answers alone until
// the new one serves, and then besides it until clients had time to learn the new one.
func (r Result) Addresses() []string {
	var out []string
	if r.LoadBalancer == nil || r.LoadBalancer.DNSName == "" {
		return nil
	}
	if !r.Alone {
		out = append(out, strings.ToLower(r.LoadBalancer.DNSName))
	}
	for _, name := range r.Replaced {
		if name = strings.ToLower(name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Serving is how a member is served.
type Serving struct {
	Member model.ObjectRef
	// Held says that its last good state serves, not what it says now.
	Held bool
	// Missing says that AWS does not hold all of its rules yet.
	Missing bool
	// Problems are the findings about it.
	Problems []model.Finding
}
