// Package ingress turns Ingresses into the intent of their load balancers, and brings back what came of it.
//
// It owns how Ingresses form groups, what their annotations and class parameters mean, their status, events and finalizers. It
// may import model, apis, the other packages of controllers and Kubernetes libraries, never the cloud. Its invariants: [Intent]
// is pure, a field that is absent means its default, and a mistake is a finding about its object, not an error.
package ingress
