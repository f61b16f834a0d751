package model_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

func TestHostRegexMatchesWhatThePlainValueDoesAndAnyPort(t *testing.T) {
	cases := []struct {
		why, host, header string
		match             bool
	}{
		{"the host itself", "shop.example.com", "shop.example.com", true},
		{"with a port", "shop.example.com", "shop.example.com:8443", true},
		{"a dot is a dot", "shop.example.com", "shopxexample.com", false},
		{"not a host that begins so", "shop.example.com", "shop.example.com.evil.org", false},
		{"not a host that ends so", "shop.example.com", "myshop.example.com", false},
		{"a port is digits", "shop.example.com", "shop.example.com:http", false},
		{"a wildcard is one label", "*.example.com", "a.example.com", true},
		{"or more, as an ALB's * is", "*.example.com", "a.b.example.com:80", true},
		{"but not none", "*.example.com", "example.com", false},
		{"nor an empty one", "*.example.com", ".example.com", false},
		{"host names have no case", "Shop.Example.COM", "shop.example.com", true},
	}
	for _, c := range cases {
		if got := regexp.MustCompile(model.HostRegex(c.host)).MatchString(c.header); got != c.match {
			t.Errorf("%s: %s on %s is %v", c.why, c.host, c.header, got)
		}
	}
	if got := model.HostRegex("shop.example.com"); got != `^shop\.example\.com(:[0-9]+)?$` {
		t.Errorf("the form is fixed, observed rules are recognised by it: %s", got)
	}
}

func TestPlainHostsRecognisesOnlyItsForm(t *testing.T) {
	regex := func(values ...string) model.Condition {
		return model.Condition{Field: model.FieldHost, Regex: values}
	}
	cases := []struct {
		why       string
		condition model.Condition
		hosts     []string
		ok        bool
	}{
		{"what HostRegex wrote", regex(model.HostRegex("a.example.com"), model.HostRegex("*.b.org")), []string{"a.example.com", "*.b.org"}, true},
		{"not an expression of a user", regex(`^a\.example\.com$`), nil, false},
		{"not without a start", regex(`a\.example\.com(:[0-9]+)?$`), nil, false},
		{"not with more in it", regex(`^(a|b)\.example\.com(:[0-9]+)?$`), nil, false},
		{"not a bare wildcard", regex(`^.+\.(:[0-9]+)?$`), nil, false},
		{"all or none", regex(model.HostRegex("a.example.com"), `^x`), nil, false},
		{"not another field", model.Condition{Field: model.FieldPath, Regex: []string{model.HostRegex("a.example.com")}}, nil, false},
		{"not plain values", model.Condition{Field: model.FieldHost, Values: []string{"a.example.com"}}, nil, false},
	}
	for _, c := range cases {
		hosts, ok := model.PlainHosts(c.condition)
		if diff := cmp.Diff(c.hosts, hosts); diff != "" || ok != c.ok {
			t.Errorf("%s: %v %s", c.why, ok, diff)
		}
	}
}

func FuzzPlainHost(f *testing.F) {
	for _, seed := range []string{"a.example.com", "*.example.com", `a\b`, "^$", "*.", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if plain, ok := model.PlainHost(model.HostRegex(host)); ok && model.HostRegex(plain) != model.HostRegex(host) {
			t.Errorf("%q comes back as %q, which matches something else", host, plain)
		}
		if plain, ok := model.PlainHost(host); ok && model.HostRegex(plain) != host {
			t.Errorf("%q is taken for the host %q", host, plain)
		}
	})
}
