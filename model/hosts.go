package model

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// An ALB compares a plain host value with the Host header as it came, port and all. Where a host must match whatever port the
// header names, the condition is a regular expression of this one form, so that it can be recognised again.
const (
	hostRegexStart    = "^"
	hostRegexWildcard = `.+\.`
	hostRegexEnd      = `(:[0-9]+)?$`
)

// HostRegex is the regular expression that matches host with or without a port: "^shop\.example\.com(:[0-9]+)?$". A leading
// "*." stands for one label or more, as "*" does in a plain value of an ALB.
func HostRegex(host string) string {
	host = strings.ToLower(host)
	if rest, ok := strings.CutPrefix(host, "*."); ok {
		return hostRegexStart + hostRegexWildcard + regexp.QuoteMeta(rest) + hostRegexEnd
	}
	return hostRegexStart + regexp.QuoteMeta(host) + hostRegexEnd
}

// PlainHost gives the host that [HostRegex] made the expression of.
func PlainHost(regex string) (string, bool) {
	body, ok := strings.CutPrefix(regex, hostRegexStart)
	if !ok {
		return "", false
	}
	body, ok = strings.CutSuffix(body, hostRegexEnd)
	if !ok {
		return "", false
	}
	prefix := ""
	if rest, wild := strings.CutPrefix(body, hostRegexWildcard); wild {
		prefix, body = "*.", rest
	}
	host := prefix + strings.ReplaceAll(body, `\`, "")
	return host, host != prefix && isQuoted(body) && (prefix != "" || !strings.HasPrefix(host, "*."))
}

// isQuoted tells whether an expression is what [regexp.QuoteMeta] makes of a host in small letters.
func isQuoted(expression string) bool {
	const special = `\.+*?()|[]{}^$`
	for i := 0; i < len(expression); i++ {
		c := expression[i]
		if c == '\\' {
			if i++; i == len(expression) || expression[i] == '\\' || !strings.Contains(special, expression[i:i+1]) {
				return false
			}
			continue
		}
		if strings.IndexByte(special, c) >= 0 || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf {
			return c >= utf8.RuneSelf && regexp.QuoteMeta(strings.ToLower(strings.ReplaceAll(expression, `\`, ""))) == expression
		}
	}
	return true
}

// PlainHosts gives the hosts of a host condition whose values all have the form of [HostRegex].
func PlainHosts(c Condition) ([]string, bool) {
	if c.Field != FieldHost || len(c.Regex) == 0 || len(c.Values) > 0 {
		return nil, false
	}
	hosts := make([]string, 0, len(c.Regex))
	for _, r := range c.Regex {
		host, ok := PlainHost(r)
		if !ok {
			return nil, false
		}
		hosts = append(hosts, host)
	}
	return hosts, true
}

// CoversHost tells whether a certificate's name is the host, or its wildcard of one label. A host that is itself a wildcard needs the same
// wildcard.
func CoversHost(domain, host string) bool {
	domain, host = strings.ToLower(domain), strings.ToLower(host)
	if domain == host {
		return true
	}
	parent, wild := strings.CutPrefix(domain, "*.")
	_, rest, dotted := strings.Cut(host, ".")
	return wild && dotted && rest == parent && !strings.HasPrefix(host, "*.")
}
