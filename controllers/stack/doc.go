// Package stack is the loop that all front doors share: facts, build, observe, diff, apply, state. A front door hands it an
// intent and gets back what exists.
//
// It may import package model and its children, the API types and Kubernetes libraries, never the AWS SDK nor package cloud.
// Its invariants: the good fragments of members are written before the plan that uses them; a stack whose desired hashes equal
// the applied ones costs no call; and a member that is wrong keeps its last good fragment.
package stack
