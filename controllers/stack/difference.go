package stack

import (
	"bytes"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

// difference is the merge patch that turns one version of a StackState into another one, under the lock of the first. What a thousand
// members share is neither encoded nor sent for the one that changed.
type difference struct{ from, to *headgatev1alpha1.StackState }

var _ client.Patch = difference{}

// Type says that a field that is null goes.
func (difference) Type() types.PatchType { return types.MergePatchType }

// Data is the patch as it is sent.
func (d difference) Data(client.Object) ([]byte, error) {
	from, to := *d.from, *d.to
	from.Spec.Fragments, to.Spec.Fragments = unlike(d.from.Spec.Fragments, d.to.Spec.Fragments)
	from.Spec.Before, to.Spec.Before = unlike(d.from.Spec.Before, d.to.Spec.Before)
	if reflect.DeepEqual(from.Spec.Resources, to.Spec.Resources) {
		from.Spec.Resources, to.Spec.Resources = nil, nil
	}
	data, err := client.MergeFromWithOptions(&from, client.MergeFromWithOptimisticLock{}).Data(&to)
	if err != nil {
		return nil, fmt.Errorf("comparing two versions of a state: %w", err)
	}
	return data, nil
}

// unlike are the entries of either map that the other one has not. Where entries only go and some stay, one that stays is among both: a
// map without entries would be null in the patch, which takes all.
func unlike(old, now map[string][]byte) (gone, come map[string][]byte) {
	gone, come = without(old, now), without(now, old)
	if len(gone) > 0 && len(come) == 0 {
		for key, value := range now {
			gone[key], come[key] = value, value
			break
		}
	}
	return gone, come
}

// without are the entries of all that known does not have, or has otherwise.
func without(all, known map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for key, value := range all {
		if have, ok := known[key]; !ok || !bytes.Equal(have, value) {
			out[key] = value
		}
	}
	return out
}
