// Package listing holds what the simulated services do alike: cutting lists into pages, and keeping the tags of resources. It may import
// the simulator's wire package. Its invariant: it knows no service; every error has the code that its service gave it.
package listing

import (
	"encoding/base64"
	"strconv"
)

// Page gives up to size items, beginning where a token says, and the token of the next page, or "" after the last one. It reports false
// for a token that no earlier page gave.
func Page[T any](all []T, size int, token string) ([]T, string, bool) {
	start := 0
	if token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			start, err = strconv.Atoi(string(raw))
		}
		if err != nil || start < 0 || start > len(all) {
			return nil, "", false
		}
	}
	end := min(start+size, len(all))
	page := append([]T{}, all[start:end]...)
	if end == len(all) {
		return page, "", true
	}
	return page, base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end))), true
}
