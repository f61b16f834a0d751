package listing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/listing"
)

func TestPage(t *testing.T) {
	t.Parallel()
	all := []int{1, 2, 3, 4, 5}
	var got [][]int
	token := ""
	for {
		page, next, ok := listing.Page(all, 2, token)
		if !ok {
			t.Fatalf("token %q is none", token)
		}
		got = append(got, page)
		if token = next; token == "" {
			break
		}
	}
	if diff := cmp.Diff([][]int{{1, 2}, {3, 4}, {5}}, got); diff != "" {
		t.Error(diff)
	}
	if page, next, ok := listing.Page(all[:0], 2, ""); !ok || next != "" || page == nil {
		t.Errorf("of nothing: %v %q %v", page, next, ok)
	}
	_, next, _ := listing.Page(all, 4, "")
	for _, bad := range []string{"?", "LTE", "eA", "MTAw"} {
		if _, _, ok := listing.Page(all, 2, bad); ok {
			t.Errorf("token %q is one", bad)
		}
	}
	if _, _, ok := listing.Page(all[:2], 2, next); ok {
		t.Error("a token beyond the end is one")
	}
}

type pair struct{ key, value string }

func (p pair) parts() (*string, *string) { return &p.key, &p.value }

func tags() *listing.Tags { return listing.NewTags(listing.Codes{Invalid: "Bad", TooMany: "Many"}) }

func TestRead(t *testing.T) {
	t.Parallel()
	var many []pair
	for i := range 51 {
		many = append(many, pair{fmt.Sprint("k", i), ""})
	}
	for _, row := range []struct {
		why, code string
		in        []pair
	}{
		{"none", "", nil},
		{"keys and values of all allowed characters", "", []pair{{"a_.:/=+-@ é1", "b_.:/=+-@ é1"}, {"empty", ""}}},
		{"a key is not empty", "Bad", []pair{{"", "a"}}},
		{"a key is short", "Bad", []pair{{strings.Repeat("a", 129), "a"}}},
		{"a value is short", "Bad", []pair{{"a", strings.Repeat("a", 257)}}},
		{"aws: is reserved", "Bad", []pair{{"AWS:a", "a"}}},
		{"other characters", "Bad", []pair{{"a#", "a"}}},
		{"a key comes once", "Bad", []pair{{"a", "1"}, {"a", "2"}}},
		{"fifty", "", many[:50]},
		{"fifty-one", "Many", many},
	} {
		_, err := listing.Read(tags(), row.in, pair.parts)
		if got := contract.Code(err); got != row.code {
			t.Errorf("%s: code %q, want %q", row.why, got, row.code)
		}
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	held := tags()
	held.Put("one", map[string]string{"b": "2"})
	held.Put("two", nil)
	if ok, err := held.Tag("one", map[string]string{"a": "1"}); !ok || err != nil {
		t.Errorf("tagging: %v %v", ok, err)
	}
	if ok, err := held.Tag("one", map[string]string{"aws:a": "1"}); !ok || contract.Code(err) != "Bad" {
		t.Errorf("tagging with a reserved key: %v %v", ok, err)
	}
	if ok, err := held.Tag("none", map[string]string{"a": "1"}); ok || err != nil {
		t.Errorf("tagging what is not there: %v %v", ok, err)
	}
	if diff := cmp.Diff([]string{"a=1", "b=2"}, listing.Write(held, "one", func(k, v *string) string { return *k + "=" + *v })); diff != "" {
		t.Error(diff)
	}
	if !held.Untag("one", []string{"a", "c"}) || held.Untag("none", []string{"a"}) {
		t.Error("untagging told wrongly what is there")
	}
	if diff := cmp.Diff(map[string]map[string]string{"one": {"b": "2"}}, held.Tagged()); diff != "" {
		t.Error(diff)
	}
	held.Drop("one")
	if held.Has("one") || !held.Has("two") || len(held.Tagged()) != 0 {
		t.Error("dropping did not drop")
	}
}
