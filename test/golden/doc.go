// Package golden holds the golden cases: a directory for each, with what is written, what AWS holds and what comes of it.
//
// Its tests may import anything. Its invariant: nothing is injected that the directory of a case does not show.
package golden
