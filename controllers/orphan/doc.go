// Package orphan tells what AWS holds of a cluster's stacks and nobody in the cluster wants, as after a finalizer was removed by hand. It
// deletes nothing.
//
// It may import model, the API types and Kubernetes libraries, never the AWS SDK nor package cloud. Its invariant: in doubt somebody wants
// it; and watching for orphans makes no call of AWS.
package orphan
