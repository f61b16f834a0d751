// Package admission is what the API server asks the operator about objects before it stores them. It injects readiness gates into
// pods, puts the agent of the target optimizer beside applications, and brings the certificate that the API server trusts.
//
// It may import the API types, package targets for the names of gates, and Kubernetes libraries; never the AWS SDK nor package cloud.
// Its invariant: nothing else of the operator needs an answer of it, and an answer that cannot be given never keeps an object out.
package admission
