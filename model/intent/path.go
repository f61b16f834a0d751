package intent

import (
	"regexp"
	"strings"
)

// partible is what can be parted after its first letter with whole paths on both sides.
var partible = regexp.MustCompile(`^/[A-Za-z0-9_.~-][^/]`)

// PartPath parts what replaces the prefix of a path in a redirect that changes nothing else, which AWS takes for a loop as long as its path is
// that of the request: "/new" becomes "/n", which the path of the redirect begins with, and "/ew", by which a transform replaces the prefix.
// It reports false where there is nothing to part.
func PartPath(by string) (head, rest string, ok bool) {
	by = "/" + strings.TrimLeft(by, "/")
	if !partible.MatchString(by) {
		return "", "", false
	}
	return by[:2], "/" + by[2:], true
}
