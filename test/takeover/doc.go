// Package takeover starts the operator on what the incumbent left behind, and looks whether it writes anything; and looks at what the
// operator leaves behind with the incumbent's eyes. It holds tests only and may import everything.
package takeover
