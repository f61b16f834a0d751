package dataplane

import (
	"strconv"
	"strings"
	"time"
)

// attributes are AWS attributes: string keys, string values.
type attributes map[string]string

// on reports whether a true/false attribute is true. An absent one is false.
func (a attributes) on(key string) bool {
	return a[key] == "true"
}

// notOff reports whether a true/false attribute that AWS defaults to true was left on.
func (a attributes) notOff(key string) bool {
	return a[key] != "false"
}

// seconds reads a number of seconds.
func (a attributes) seconds(key string, fallback int) time.Duration {
	return time.Duration(a.number(key, fallback)) * time.Second
}

func (a attributes) number(key string, fallback int) int {
	n, err := strconv.Atoi(strings.TrimSpace(a[key]))
	if err != nil {
		return fallback
	}
	return n
}

// text reads a word.
func (a attributes) text(key, fallback string) string {
	if v := a[key]; v != "" {
		return v
	}
	return fallback
}
