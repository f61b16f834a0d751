package outcome

import (
	"fmt"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Applied says what was done, in resources: "Created 3, updated 1, deleted 0 AWS resources." It is the text of an event.
func Applied(created, updated, deleted int) string {
	return fmt.Sprintf("Created %d, updated %d, deleted %d AWS resources.", created, updated, deleted)
}

// AppliedPlan is [Applied] of a plan of which every call was made. One that replaces a resource creates it and deletes it.
func AppliedPlan(p plan.Plan) string {
	counts, seen := map[plan.Action]int{}, map[model.Key]bool{}
	for _, c := range p.Changes {
		if !seen[c.Key] {
			seen[c.Key] = true
			counts[c.Action]++
		}
	}
	replaced := counts[plan.Replace]
	return Applied(counts[plan.Create]+replaced, counts[plan.Update], counts[plan.Delete]+replaced)
}
