package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Stack is what the operator would do about one stack.
type Stack struct {
	Owner    model.Owner     `json:"owner"`
	Findings []model.Finding `json:"findings,omitempty"`
	// Blocked says why nothing would be done now; empty where the stack can be built.
	Blocked string `json:"blocked,omitempty"`
	// Error is what failed while it was looked at.
	Error string    `json:"error,omitempty"`
	Plan  plan.Plan `json:"plan"`
	// More says that another plan follows when this one is done.
	More bool `json:"more,omitempty"`
}

// Source is where objects come from.
type Source struct {
	Reader client.Reader
	Scheme *runtime.Scheme
	// Wrote, when it is set, is told each object that the operator would create or patch, one at a time: what it remembers, for one.
	Wrote func(client.Object)
	// Hold is that of [stack.Options]: who applies what is planned again and again has no clock that it could pass by.
	Hold time.Duration
}

// Run asks the loop about every stack of the objects. The cloud decides what applying a plan means: [Onlooker] or [Account]. A stack
// that fails keeps no other from being looked at: all are returned, the error joins what failed.
func Run(ctx context.Context, from Source, cloud stack.Cloud, set Settings) ([]Stack, error) {
	from.Reader = installed{from.Reader}
	requests, err := Requests(ctx, from.Reader, set)
	if err != nil {
		return nil, err
	}
	tags := set.Ingress.DefaultTags
	cluster := stack.NewCluster(cloud, stack.ClusterOptions{Name: set.Ingress.ClusterName, Tags: tags, Stacks: stackCount(len(requests))})
	quiet := silent{Reader: from.Reader, scheme: from.Scheme, wrote: from.Wrote, turn: &sync.Mutex{}}
	loop := stack.New(quiet, cloud, cluster, stack.Options{Pretend: true, Hold: from.Hold})
	out, errs := make([]Stack, 0, len(requests)), []error(nil)
	for _, request := range requests {
		result, err := loop.Run(ctx, request)
		one := Stack{
			Owner: request.Intent.Owner, Findings: result.Findings, Blocked: result.Blocked, Plan: result.Plan, More: result.Plan.Again,
		}
		if err != nil {
			one.Error = err.Error()
			errs = append(errs, fmt.Errorf("planning %s: %w", request.Intent.Owner, err))
		}
		out = append(out, one)
	}
	return out, errors.Join(errs...)
}

// stackCount keeps the shared security group: a preview never has the last stack gone.
func stackCount(n int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return n + 1, nil }
}
