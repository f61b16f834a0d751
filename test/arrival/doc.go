// Package arrival holds the operator to kinds that are installed after it started.
package arrival
