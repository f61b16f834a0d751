package attribute

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxText   = 1024
	maxHeader = 40
	yes       = "true"
	no        = "false"
)

func boolean(value string) string { return oneOf(yes, no)(value) }

// within takes whole numbers of a range.
func within(least, most int) func(string) string {
	return func(value string) string {
		if n, ok := Number(value); !ok || n < least || n > most {
			return fmt.Sprintf("must be between '%d-%d' inclusive", least, most)
		}
		return ""
	}
}

// Number reads a whole number as AWS takes it: written plainly, without a plus sign or zeros in front.
func Number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && strconv.Itoa(n) == text
}

// oneOf takes some words.
func oneOf(words ...string) func(string) string {
	return func(value string) string {
		if slices.Contains(words, value) {
			return ""
		}
		return fmt.Sprintf("must be one of '%s'", strings.Join(words, ", "))
	}
}

// either takes a word or a whole number of a range.
func either(word string, least, most int) func(string) string {
	return func(value string) string {
		problem := within(least, most)(value)
		switch {
		case value == word:
			return ""
		case problem != "" && word != "":
			return fmt.Sprintf("%s, or '%s'", problem, word)
		}
		return problem
	}
}

func text(value string) string {
	if len(value) > maxText {
		return fmt.Sprintf("cannot be longer than '%d' characters", maxText)
	}
	return ""
}

// printable tells whether a text is of visible ASCII characters and spaces.
func printable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// header takes what can be the value of a header.
func header(value string) string {
	if !printable(value) {
		return "contains invalid characters"
	}
	return text(value)
}

// slowStart is off or half a minute to a quarter of an hour.
func slowStart(value string) string { return either("0", 30, 900)(value) }

func cookie(value string) string {
	if strings.HasPrefix(value, "AWSALB") || !printable(value) || strings.ContainsAny(value, " ;,=") {
		return "is not a valid cookie name"
	}
	return text(value)
}

func headerName(value string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}
	switch {
	case len(value) > maxHeader || strings.ContainsFunc(value, odd):
		return fmt.Sprintf("must have at most '%d' characters of A-Z, a-z, 0-9, '-' and '_'", maxHeader)
	case slices.Contains(reserved(), strings.ToLower(value)):
		return "is a reserved header name"
	}
	return ""
}

// reserved are headers that HTTP or a load balancer has a meaning for, so that no other one can have their names (believed).
func reserved() []string {
	return []string{
		"authorization", "connection", "content-length", "content-type", "cookie", "expect", "forwarded", "host", "keep-alive", "proxy-authorization",
		"te", "trailer", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id",
		"x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity",
	}
}

func frameOptions(value string) string {
	if uri, ok := strings.CutPrefix(value, "ALLOW-FROM "); ok {
		if u, err := url.Parse(uri); err == nil && u.Host != "" {
			return ""
		}
	}
	return oneOf("", "DENY", "SAMEORIGIN")(value)
}
