package zones

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// key is what makes a record set one of its kind in a zone.
type key struct {
	name       string
	kind       dnstypes.RRType
	identifier string
}

// canonical gives a name as Route 53 keeps it: in lower case, with a period at its end, other characters than letters, digits, hyphens and
// underscores as octal escapes (developer guide, "DNS domain name format").
func canonical(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '\\' && i+3 < len(name) && octal(name[i+1:i+4]):
			b.WriteString(name[i : i+4])
			i += 3
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c - 'A' + 'a')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return strings.TrimSuffix(b.String(), ".") + "."
}

func octal(text string) bool {
	return strings.Trim(text, "01234567") == ""
}

// bare is a name without the period at its end.
func bare(name string) string { return strings.TrimSuffix(name, ".") }

// proper reports whether a canonical name can be one (developer guide, "DNS domain name format").
func proper(name string) bool {
	const longest, longestLabel = 255, 63
	if len(name) > longest || name == "." {
		return false
	}
	for label := range strings.SplitSeq(bare(name), ".") {
		if label == "" || len(label) > longestLabel {
			return false
		}
	}
	return true
}

// within reports whether a name is that of a zone or below it.
func within(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// reversed gives a name with its labels the other way round, the form by which Route 53 sorts: com.example.www. with its period at the end.
func reversed(name string) string {
	labels := strings.Split(bare(name), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

func byName(a, b string) int { return strings.Compare(reversed(a), reversed(b)) }

// compare orders record sets as lists give them.
func (k key) compare(other key) int {
	return cmp.Or(byName(k.name, other.name), cmp.Compare(k.kind, other.kind), cmp.Compare(k.identifier, other.identifier))
}

func keyOf(r dnstypes.ResourceRecordSet) key {
	k := key{name: canonical(*r.Name), kind: r.Type}
	if r.SetIdentifier != nil {
		k.identifier = *r.SetIdentifier
	}
	return k
}

// String names a record set as messages do.
func (k key) String() string {
	if k.identifier != "" {
		return fmt.Sprintf("[name='%s', type='%s', set identifier='%s']", k.name, k.kind, k.identifier)
	}
	return fmt.Sprintf("[name='%s', type='%s']", k.name, k.kind)
}
