// Package fault decides what goes wrong or takes long on the way to a service: calls that fail, calls that are too many, and the time
// that each takes. It knows calls by service and action only, holds no state of a service, and imports the standard library only. Its
// invariant: with the same seed and the same sequence of calls the same ones fail.
package fault
