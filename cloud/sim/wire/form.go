package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// node is a form parameter with the dotted names below it: Actions.member.1.Type is three levels under the root. Or it is an XML element.
type node struct {
	value    string
	children map[string]*node
	// elements are all children of an XML element in their order, and twins all of its name below one parent.
	elements, twins []*node
}

// parseForm makes a tree of a form: the body, or the query of a GET.
func parseForm(q *Request) (*node, error) {
	values := q.Query
	if q.Method != http.MethodGet {
		var err error
		if values, err = url.ParseQuery(string(q.Body)); err != nil {
			return nil, Errorf("MalformedQueryString", "The query string is malformed: %v", err)
		}
	}
	root := &node{}
	for name, all := range values {
		at := root
		for part := range strings.SplitSeq(name, ".") {
			at = at.child(part)
		}
		at.value = all[0]
	}
	return root, nil
}

func (n *node) child(name string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c, ok := n.children[name]
	if !ok {
		c = &node{}
		n.children[name] = c
	}
	return c
}

// items gives the children with numeric names, in numeric order. Gaps are closed, as AWS does.
func (n *node) items() []*node {
	var numbers []int
	for name := range n.children {
		if i, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, i)
		}
	}
	slices.Sort(numbers)
	all := make([]*node, 0, len(numbers))
	for _, i := range numbers {
		if c, ok := n.children[strconv.Itoa(i)]; ok {
			all = append(all, c)
		}
	}
	return all
}
