package plan

const (
	// maxPriority is the largest rule priority (ELBv2 API, CreateRule).
	maxPriority = 50000
	// priorityStep is the distance between neighbours while there is room.
	priorityStep = 100
)

// between gives k ascending free numbers, spread evenly, above low and below high; high 0 is the end of the list. None where
// there are too few.
func between(low, high, k int, taken []int) []int {
	if high == 0 {
		high = low + priorityStep*(k+1)
		for _, t := range taken {
			if t > low && t < high {
				high++
			}
		}
		high = min(high, maxPriority+1)
	}
	occupied := map[int]bool{}
	for _, t := range taken {
		occupied[t] = true
	}
	var free []int
	for n := low + 1; n < high; n++ {
		if !occupied[n] {
			free = append(free, n)
		}
	}
	if len(free) < k {
		return nil
	}
	out := make([]int, k)
	for i := range out {
		out[i] = free[(i+1)*len(free)/(k+1)]
	}
	return out
}

// spread gives n ascending numbers, [priorityStep] apart while they fit.
func spread(n int) []int {
	step := max(1, min(priorityStep, maxPriority/(n+1)))
	out := make([]int, n)
	for i := range out {
		out[i] = (i + 1) * step
	}
	return out
}
