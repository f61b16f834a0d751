// Package crash cuts the operator at its calls, to AWS and in the cluster, and looks whether it ends where it would have ended
// undisturbed (invariant 2). It holds tests only and may import everything.
package crash
