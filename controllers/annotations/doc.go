// Package annotations is the annotation keys of the front doors as a table, and the way their values are read.
//
// It owns key names, value formats and what is said about a value that does not have its format. It may import package model
// and the standard library. Its invariant: no key with the prefix of a table is ever passed over in silence.
package annotations
