// Package secrecy looks for secrets where none may be: in the operator's log, in events, in status and in what it remembers.
//
// It may import everything. Its invariant: the words that it looks for were within the operator's reach.
package secrecy
