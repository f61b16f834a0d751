package stack

import "context"

// announce tells the front door what it need not wait for. Of a frontend, and of a load balancer that replaces
// another one, more is to be known.
func (a *attempt) announce(ctx context.Context) <-chan struct{} {
	told := make(chan struct{})
	lb := a.outputs.LoadBalancer
	fronted := a.desired.Frontend != nil || a.outputs.Frontend != nil
	if a.req.Reached == nil || !a.applied || !a.done() || lb == nil || len(a.state.object.Spec.Replaced) > 0 || a.unwanted() || fronted {
		close(told)
		return told
	}
	res := Result{LoadBalancer: lb, Ports: a.ports()}
	for _, m := range a.req.Arriving {
		res.Coming = append(res.Coming, m.Member) // it is not known yet whether they are served
	}
	go func() {
		defer close(told)
		a.req.Reached(ctx, res)
	}()
	return told
}
