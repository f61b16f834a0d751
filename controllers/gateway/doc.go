// Package gateway is the front door for Gateway API objects of the class controller gateway.k8s.aws/alb: it loads a Gateway with
// everything that belongs to it, turns it into an intent, and writes what came of it into the status of Gateways and routes.
//
// It may import package model and its children, the API types, Gateway API and Kubernetes libraries, never the AWS SDK nor
// package cloud. Its invariant: a route that cannot be served as it is written is refused as a whole, and changes nothing for
// the routes beside it.
package gateway
