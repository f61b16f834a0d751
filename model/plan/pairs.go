package plan

import "github.com/headgate/headgate/model"

// matching says which observed rule each wanted rule is.
type matching struct {
	// haveOf is, by wanted rule, the index of the observed one, or -1.
	haveOf []int
	// same is, by wanted rule, that the observed one does the same. The others with a haveOf are changed in place.
	same []bool
	// ordered says that the pairs have one order in both lists. Where they have not, no pair is changed in place.
	ordered bool
}

// numbered is a [model.Content] with its texts as numbers, for fast comparison.
type numbered struct{ conditions, plain, answer int }

func (n numbered) matches(have numbered) bool {
	return n.conditions == have.conditions || n.plain == have.conditions
}

func (n numbered) equals(have numbered) bool { return n.answer == have.answer && n.matches(have) }

// matchRules matches by content. It looks for the pairs in order first: as many equal ones as there can be, then as many with
// equal conditions as there can be. Only if that leaves out a rule which both lists have, the order has changed.
//
// Most rules are what they were: those are paired before anything is written down, and only the rest is looked through.
func matchRules(want, have []model.Rule) matching {
	out := newMatching(len(want))
	w, h, exact := out.pairAlike(want, have)
	if !exact {
		return match(contentsOf(want), contentsOf(have))
	}
	middle := match(contentsOf(picked(want, w)), contentsOf(picked(have, h)))
	if !middle.ordered && len(w) < len(want) {
		return match(contentsOf(want), contentsOf(have))
	}
	out.ordered = middle.ordered
	for i, j := range middle.haveOf {
		if j >= 0 {
			out.haveOf[w[i]], out.same[w[i]] = h[j], middle.same[i]
		}
	}
	return out
}

func match(want, have []model.Content) matching {
	numbers := map[string]int{}
	w, h := number(numbers, want), number(numbers, have)
	m := inOrder(w, h)
	m.ordered = count(m.same) == shared(w, h)
	if !m.ordered {
		m = byContent(w, h)
	}
	return m
}

// matchInOrder leaves out what has moved: it is made anew, and deleted where it was.
func matchInOrder(want, have []model.Rule) matching {
	numbers := map[string]int{}
	m := inOrder(number(numbers, contentsOf(want)), number(numbers, contentsOf(have)))
	m.ordered = true
	return m
}

// pairAlike pairs what is equal at both ends, again and again without those that have no partner, and gives the indexes of what is left to
// match. Such pairs are a part of a heaviest common subsequence, and of a pairing by content with as many pairs as there can be, where both
// are in one encoding. Exact says that they are: which others one in the incumbent's encoding could be, has to be looked through.
func (m matching) pairAlike(want, have []model.Rule) (w, h []int, exact bool) {
	w, h = upTo(len(want)), upTo(len(have))
	for {
		first, last := 0, 0
		pair := func(i, j int) bool {
			equal, inOne := equalRules(&want[i], &have[j])
			if equal {
				m.haveOf[i], m.same[i], exact = j, true, inOne
			}
			return equal
		}
		for most := min(len(w), len(h)); first < most && pair(w[first], h[first]); first++ {
			if !exact {
				return nil, nil, false
			}
		}
		for most := min(len(w), len(h)) - first; last < most && pair(w[len(w)-1-last], h[len(h)-1-last]); last++ {
			if !exact {
				return nil, nil, false
			}
		}
		w, h = w[first:len(w)-last], h[first:len(h)-last]
		before := len(w) + len(h)
		if w, h = partnered(want, have, w, h); len(w)+len(h) == before {
			return w, h, true
		}
	}
}

// partnered leaves out rules that no rule of the other list can match.
func partnered(want, have []model.Rule, w, h []int) (wanted, observed []int) {
	marks := func(rules []model.Rule, at []int) (all []uint64, has map[uint64]bool) {
		all, has = make([]uint64, len(at)), make(map[uint64]bool, len(at))
		for n, i := range at {
			all[n] = model.ConditionsMark(rules[i].Conditions)
			has[all[n]] = true
		}
		return all, has
	}
	wMarks, inWant := marks(want, w)
	hMarks, inHave := marks(have, h)
	for n, i := range w {
		if inHave[wMarks[n]] {
			wanted = append(wanted, i)
		}
	}
	for n, j := range h {
		if inWant[hMarks[n]] {
			observed = append(observed, j)
		}
	}
	return wanted, observed
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func picked(rules []model.Rule, at []int) []model.Rule {
	out := make([]model.Rule, len(at))
	for n, i := range at {
		out[n] = rules[i]
	}
	return out
}

// equalRules tells whether a rule does what is wanted, and whether that is written in the same encoding.
func equalRules(want, have *model.Rule) (equal, exact bool) {
	if model.Alike(want, have) {
		return true, true
	}
	if len(want.Conditions) != len(have.Conditions) || len(want.Actions) != len(have.Actions) {
		return false, false
	}
	w, h := model.ContentOf(*want), model.ContentOf(*have)
	return w.Equals(h), w.Conditions == h.Conditions
}

// wantOf is the reverse of haveOf, by observed rule.
func (m matching) wantOf(have int) []int {
	out := make([]int, have)
	for j := range out {
		out[j] = -1
	}
	for i, j := range m.haveOf {
		if j >= 0 {
			out[j] = i
		}
	}
	return out
}

func contentsOf(rules []model.Rule) []model.Content {
	out := make([]model.Content, len(rules))
	for i, r := range rules {
		out[i] = model.ContentOf(r)
	}
	return out
}

func number(numbers map[string]int, contents []model.Content) []numbered {
	of := func(text string) int {
		n, ok := numbers[text]
		if !ok {
			n = len(numbers)
			numbers[text] = n
		}
		return n
	}
	out := make([]numbered, len(contents))
	for i, c := range contents {
		out[i] = numbered{conditions: of(c.Conditions), plain: of(c.Plain), answer: of(c.Answer)}
	}
	return out
}

// inOrder is the heaviest common subsequence: an equal pair outweighs all pairs with equal conditions only. Equal pairs at both ends are
// part of one that is as heavy as any, for nothing outweighs them: only what is between is looked through.
func inOrder(want, have []numbered) matching {
	first, last := 0, 0
	for most := min(len(want), len(have)); first < most && want[first].equals(have[first]); {
		first++
	}
	for most := min(len(want), len(have)) - first; last < most && want[len(want)-1-last].equals(have[len(have)-1-last]); {
		last++
	}
	out := newMatching(len(want))
	pair := func(i, j int) { out.haveOf[i], out.same[i] = j, true }
	for i := range first {
		pair(i, i)
	}
	for i := range last {
		pair(len(want)-1-i, len(have)-1-i)
	}
	middle := heaviest(want[first:len(want)-last], have[first:len(have)-last])
	for i, j := range middle.haveOf {
		if j >= 0 {
			out.haveOf[first+i], out.same[first+i] = first+j, middle.same[i]
		}
	}
	return out
}

// heaviest looks through every pair.
func heaviest(want, have []numbered) matching {
	n, m := len(want), len(have)
	heavy := min(n, m) + 1
	best := make([][]int, n+1)
	best[n] = make([]int, m+1)
	weight := func(i, j int) int {
		switch {
		case want[i].equals(have[j]):
			return heavy
		case want[i].matches(have[j]):
			return 1
		default:
			return 0
		}
	}
	for i := n - 1; i >= 0; i-- {
		best[i] = make([]int, m+1)
		for j := m - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if w := weight(i, j); w > 0 {
				best[i][j] = max(best[i][j], w+best[i+1][j+1])
			}
		}
	}
	out := newMatching(n)
	for i, j := 0, 0; i < n && j < m; {
		w := weight(i, j)
		switch {
		case w > 0 && best[i][j] == w+best[i+1][j+1]:
			out.haveOf[i], out.same[i] = j, w == heavy
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return out
}

// byContent pairs equal rules whatever their order, duplicates in turn; exact encodings first.
func byContent(want, have []numbered) matching {
	out := newMatching(len(want))
	taken := make([]bool, len(have))
	pair := func(key func(numbered) [2]int) {
		free := map[[2]int][]int{}
		for j, h := range have {
			if at := [2]int{h.conditions, h.answer}; !taken[j] {
				free[at] = append(free[at], j)
			}
		}
		for i, w := range want {
			if list := free[key(w)]; out.haveOf[i] < 0 && len(list) > 0 {
				out.haveOf[i], out.same[i], taken[list[0]], free[key(w)] = list[0], true, true, list[1:]
			}
		}
	}
	pair(func(w numbered) [2]int { return [2]int{w.conditions, w.answer} })
	pair(func(w numbered) [2]int { return [2]int{w.plain, w.answer} })
	return out
}

// shared is how many rules both lists have, whatever their order.
func shared(want, have []numbered) int { return count(byContent(want, have).same) }

func newMatching(n int) matching {
	out := matching{haveOf: make([]int, n), same: make([]bool, n)}
	for i := range out.haveOf {
		out.haveOf[i] = -1
	}
	return out
}

func count(list []bool) int {
	n := 0
	for _, v := range list {
		if v {
			n++
		}
	}
	return n
}
