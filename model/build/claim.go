package build

import (
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// claim is what one member asks for where a load balancer has room for one value.
type claim struct {
	value string
	// asked is false for a member that asks for nothing.
	asked bool
	// standing says that the member asked for the same when it was last good.
	standing bool
	at       place
}

// decide finds the claim that counts, and tells who loses to it: the applied value counts while some member asks for it, then a claim
// that stands, so that a newcomer changes nothing for those who are there; else the first in precedence. It is -1 where nobody asks.
func decide(claims []claim, applied string, tell func(lost, won claim)) int {
	won, best := -1, 0
	for i, c := range claims {
		if w := c.weight(applied); w > best {
			won, best = i, w
		}
	}
	for _, c := range claims {
		if c.asked && c.value != claims[won].value {
			tell(c, claims[won])
		}
	}
	return won
}

func (c claim) weight(applied string) int {
	switch {
	case !c.asked:
		return 0
	case applied != "" && c.value == applied:
		return 3
	case c.standing:
		return 2
	default:
		return 1
	}
}

// before is what a member asked for when it was last good; nil where nothing is known.
func (b *builder) before(f *intent.Fragment) *intent.Fragment { return b.earlier[memberOf(f)] }

// memberOf is the member of a fragment as [model.ObjectRef.Same] compares it.
func memberOf(f *intent.Fragment) model.ObjectRef {
	out := f.Member
	out.UID = ""
	return out
}

// byMember finds fragments by their member, of several the first.
func byMember(all []intent.Fragment) map[model.ObjectRef]*intent.Fragment {
	out := make(map[model.ObjectRef]*intent.Fragment, len(all))
	for i := range all {
		if key := memberOf(&all[i]); out[key] == nil {
			out[key] = &all[i]
		}
	}
	return out
}
