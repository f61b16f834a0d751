// Package lookup gives one member of a group every kind of value that AWS looks something up by, and that is malformed, absent, or
// somebody else's: nobody but that member may notice (invariant 3). It holds tests only and may import everything.
package lookup
