package corpus

import (
	"context"
	"fmt"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// claims are what a file needs of the cluster and the account, by name: whether for itself alone. Files that claim the same are not
// applied side by side, unless each of them shares it.
type claims map[string]access

type access int

const (
	shared access = iota
	alone
)

func (c claims) add(name string, a access) { c[name] = max(c[name], a) }

func (c claims) conflict(o claims) bool {
	for name, a := range c {
		if b, ok := o[name]; ok && (a == alone || b == alone) {
			return true
		}
	}
	return false
}

const (
	groupAnnotation    = "alb.ingress.kubernetes.io/group.name"
	balancerAnnotation = "alb.ingress.kubernetes.io/load-balancer-name"
	defaultAnnotation  = "ingressclass.kubernetes.io/is-default-class"
	defaultClass       = "the default IngressClass"
)

// claims of a file: its namespaces, what it makes outside of them, the classes that it uses, and what is unique in the account.
func (w World) claims(namespace string, objects []*unstructured.Unstructured) claims {
	out := claims{"Namespace " + namespace: alone, "IngressClass alb": shared}
	for _, o := range objects {
		if n := o.GetNamespace(); n != "" {
			out.add("Namespace "+n, alone)
		}
		if w.ofCluster(o) {
			out.add(o.GetKind()+" "+o.GetName(), alone)
		}
		annotations := o.GetAnnotations()
		for kind, name := range map[string]string{
			"group": annotations[groupAnnotation], "loadBalancerName": annotations[balancerAnnotation],
		} {
			if name != "" {
				out.add(kind+" "+name, alone)
			}
		}
		for _, path := range [][]string{{"spec", "group", "name"}, {"spec", "loadBalancerName"}} {
			if name, _, _ := unstructured.NestedString(o.Object, path...); name != "" {
				out.add(path[1]+" "+name, alone)
			}
		}
		out.addClass(o)
	}
	return out
}

func (c claims) addClass(o *unstructured.Unstructured) {
	switch o.GetKind() {
	case "Gateway":
		name, _, _ := unstructured.NestedString(o.Object, "spec", "gatewayClassName")
		c.add("GatewayClass "+name, shared)
	case "Ingress":
		c.add(defaultClass, shared)
	case "IngressClass":
		if o.GetAnnotations()[defaultAnnotation] == "true" {
			c.add(defaultClass, alone)
		}
	}
}

// ofCluster tells whether an object is outside of namespaces.
func (w World) ofCluster(o *unstructured.Unstructured) bool {
	k := o.GroupVersionKind()
	mapping, err := w.Client.RESTMapper().RESTMapping(k.GroupKind(), k.Version)
	return err == nil && mapping.Scope.Name() == meta.RESTScopeNameRoot
}

// pool applies files side by side, those that claim the same one after the other in their order, and prints their rows in the order of
// the files.
type pool struct {
	out io.Writer

	mu      sync.Mutex
	jobs    []*job
	printed int
}

func (p *pool) run(ctx context.Context, workers int, apply func(context.Context, *job) []Row) {
	var all sync.WaitGroup
	turn := sync.NewCond(&p.mu)
	for range workers {
		all.Go(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			for ctx.Err() == nil {
				j, more := p.next()
				if !more {
					return
				}
				if j == nil {
					turn.Wait()
					continue
				}
				j.state = runs
				p.mu.Unlock()
				rows := apply(ctx, j)
				p.mu.Lock()
				j.rows, j.state = rows, done
				p.print()
				turn.Broadcast()
			}
			turn.Broadcast()
		})
	}
	all.Wait()
}

// next is the first file that waits and shares nothing with those before it that are not done; nil where all that wait do. More is
// false once none waits.
func (p *pool) next() (j *job, more bool) {
	before := claims{}
	for _, j := range p.jobs {
		if j.state == done {
			continue
		}
		if j.state == waits {
			if more = true; !j.claims.conflict(before) {
				return j, true
			}
		}
		for name, a := range j.claims {
			before.add(name, a)
		}
	}
	return nil, more
}

func (p *pool) print() {
	for ; p.printed < len(p.jobs) && p.jobs[p.printed].state == done; p.printed++ {
		for _, r := range p.jobs[p.printed].rows {
			fmt.Fprintf(p.out, "%-52s %-44s %-10s %s\n", r.File, r.Object, r.Verdict, r.Detail)
		}
	}
}

// rows are those of the files that are done, in the order of the files.
func (p *pool) rows() []Row {
	var out []Row
	for _, j := range p.jobs {
		out = append(out, j.rows...)
	}
	return out
}
