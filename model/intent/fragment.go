package intent

import "reflect"

// Shares tells whether two fragments hold the very same lists, and no settings: where nothing is changed in place they are equal.
func (f *Fragment) Shares(o *Fragment) bool {
	return f.Member == o.Member && f.Rank == o.Rank && f.Fold == o.Fold && f.Yield == o.Yield &&
		f.SharesLists(o) &&
		reflect.ValueOf(&f.Settings).Elem().IsZero() && reflect.ValueOf(&o.Settings).Elem().IsZero()
}

// SharesLists tells whether two fragments hold the very same routes, listeners and held rules, whatever their settings.
func (f *Fragment) SharesLists(o *Fragment) bool {
	return isSame(f.Routes, o.Routes) && isSame(f.Listeners, o.Listeners) && isSame(f.Held, o.Held)
}

// Equal tells whether two fragments ask for the same. It is quick where they share what they hold.
func (f *Fragment) Equal(o *Fragment) bool { return f.Shares(o) || reflect.DeepEqual(f, o) }

// isSame tells whether two lists are one and the same.
func isSame[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 && (a == nil) == (b == nil) || len(a) > 0 && &a[0] == &b[0])
}
