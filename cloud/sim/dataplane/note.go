package dataplane

// note is what is remembered of a request for the access log.
type note struct {
	// priority of the rule that was chosen; 0 is the default rule, -1 none.
	priority int
	actions  []string
	// why a gate did not let the request through, in the words of the log.
	why     string
	verdict verdict
}

// did remembers an action.
func (x *exchange) did(action string) { x.note.actions = append(x.note.actions, action) }
