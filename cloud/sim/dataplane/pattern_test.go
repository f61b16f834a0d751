package dataplane

import (
	"regexp"
	"strings"
	"testing"
)

// A pattern must match what the regular expression of the same meaning matches.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"/img/*", "/img/a/b"}, {"*", ""}, {"a?c", "abc"}, {"*a*b", "xaabab"}, {"", ""}, {"a**b?", "axxbz"}, {"*.example.com", "a.example.com"},
		{"?*?", "a"}, {"a*a*a*a*b", strings.Repeat("a", 40)},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, value, input string) {
		if !ascii(value) || !ascii(input) || strings.Contains(value, `\`) {
			return // expressions count runes where patterns count bytes, and quote backslashes
		}
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(value))
		want := regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(input)
		p := newPattern(wildcards(value))
		if got := p.matches(input); got != want {
			t.Errorf("%q on %q: %t, want %t", value, input, got, want)
		}
	})
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e || r < 0x20 })
}
