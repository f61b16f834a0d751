package targets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// A target group that several clusters share is written down what each of them registered: in a ConfigMap of the incumbent's name
// and form (its guide, "MultiCluster Target Groups"), so that the two can take over from each other.
const (
	recordPrefix = "aws-lbc-targets-"
	recordKey    = "targets"
)

// record is what this cluster registered in a shared target group, as "id:port".
type record map[string]bool

func entry(t model.Target) string { return t.ID + ":" + strconv.Itoa(t.Port) }

func recordOf(targets ...[]model.Target) record {
	out := record{}
	for _, some := range targets {
		for _, t := range some {
			out[entry(t)] = true
		}
	}
	return out
}

// targetOf reads one.
func targetOf(entry string) (model.Target, bool) {
	// The last colon: addresses of IPv6 have more.
	at := strings.LastIndex(entry, ":")
	if at < 0 {
		return model.Target{}, false
	}
	port, err := strconv.Atoi(entry[at+1:])
	return model.Target{ID: entry[:at], Port: port}, err == nil
}

// of are those targets that are in the record.
func (r record) of(targets []model.Target) []model.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t model.Target) bool { return !r[entry(t)] })
}

func (r record) String() string { return strings.Join(slices.Sorted(maps.Keys(r)), ",") }

// own are those targets of a binding's group that are this cluster's: all, unless other clusters have targets in it too.
func (r *Reconciler) own(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, known []model.Target) ([]model.Target, error) {
	if !b.Spec.MultiClusterTargetGroup {
		return known, nil
	}
	mine, err := r.recorded(ctx, b)
	return mine.of(known), err
}

// spare are those targets of a binding's group that are its own and that no other binding of this cluster registered too: what may be
// deregistered when the binding wants them no more.
func (r *Reconciler) spare(
	ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, known []model.Target,
) ([]model.Target, error) {
	out, err := r.own(ctx, b, known)
	if err != nil || len(out) == 0 || !b.Spec.MultiClusterTargetGroup {
		return out, err
	}
	others, err := r.others(ctx, b, group)
	if err != nil {
		return nil, err
	}
	for i := range others {
		theirs, err := r.recorded(ctx, &others[i])
		if err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(out, func(t model.Target) bool { return theirs[entry(t)] })
	}
	return out, nil
}

// recorded reads the record, once; it is empty where there is none yet.
func (r *Reconciler) recorded(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (record, error) {
	key := client.ObjectKeyFromObject(b)
	if have := r.file(key).record; have != nil {
		return have, nil
	}
	out := record{}
	var object corev1.ConfigMap
	// Past the cache: ConfigMaps are not watched.
	err := r.live.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: recordPrefix + b.Name}, &object)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading which targets of a shared target group are ours: %w", err)
	}
	for one := range strings.SplitSeq(object.Data[recordKey], ",") {
		if one = strings.TrimSpace(one); one != "" {
			out[one] = true
		}
	}
	r.edit(key, func(f *file) { f.record = out })
	return out, nil
}

// note writes the record down, where it is another one than it was. It is written before targets are registered and after others are
// deregistered: a target that nobody has written down would stay for ever.
func (r *Reconciler) note(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, now record) error {
	if !b.Spec.MultiClusterTargetGroup {
		return nil
	}
	have, err := r.recorded(ctx, b)
	if err != nil || maps.Equal(have, now) {
		return err
	}
	key := client.ObjectKeyFromObject(b)
	// What is there may change although the answer is lost: it is read again.
	r.edit(key, func(f *file) { f.record = nil })
	if err := r.write(ctx, b, now.String()); err != nil {
		return fmt.Errorf("writing down which targets of a shared target group are ours: %w", err)
	}
	r.edit(key, func(f *file) { f.record = now })
	return nil
}

// write makes or changes the ConfigMap, which goes with its binding.
func (r *Reconciler) write(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, text string) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: recordPrefix + b.Name}}
	err := r.live.Get(ctx, client.ObjectKeyFromObject(object), object)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading its ConfigMap: %w", err)
	}
	old := object.DeepCopy()
	object.Data = map[string]string{recordKey: text}
	object.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: elbv2v1beta1.GroupVersion().String(), Kind: elbv2v1beta1.KindTargetGroupBinding, Name: b.Name, UID: b.UID,
	}}
	if apierrors.IsNotFound(err) {
		err = r.client.Create(ctx, object)
	} else {
		err = r.client.Patch(ctx, object, client.MergeFrom(old))
	}
	if err != nil {
		return fmt.Errorf("its ConfigMap: %w", err)
	}
	return nil
}
