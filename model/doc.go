// Package model is the domain of Headgate: what AWS holds or shall hold for one owner, as plain values.
//
// It imports the standard library only. Its invariant: the same types describe the desired and the observed state, both
// normalised (defaults filled, sets sorted), so that equal states compare equal. A resource refers to another by [Key], never
// by ARN; ARNs stand beside observed resources and are no part of a comparison.
package model
