package targets

import (
	"context"
	"errors"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
)

// reasonNetwork is the incumbent's reason of events about rules on pods' security groups that could not be changed.
const reasonNetwork = "FailedNetworkReconcile"

// report notes what keeps targets from being admitted, nil for nothing, and has those bindings looked at for whom that is news. The
// error of one binding is not that of another.
func (n *Network) report(ctx context.Context, err error) {
	after := map[types.NamespacedName]problem{}
	if failed, ok := errors.AsType[*stack.SyncError](err); ok {
		for name, cause := range failed.Bindings {
			namespace, own, _ := strings.Cut(name, "/")
			after[types.NamespacedName{Namespace: namespace, Name: own}] = unadmitted(cause)
		}
	}
	n.mu.Lock()
	before := n.trouble
	n.trouble = after
	n.mu.Unlock()
	concerned := maps.Clone(before)
	maps.Copy(concerned, after)
	for key := range concerned {
		if before[key] == after[key] {
			continue
		}
		b := &elbv2v1beta1.TargetGroupBinding{}
		b.Namespace, b.Name = key.Namespace, key.Name
		select {
		case n.news <- event.GenericEvent{Object: b}:
		case <-ctx.Done():
			return
		}
	}
}

// unadmitted is what the owner of a binding is told.
func unadmitted(cause error) problem {
	text := outcome.Of(cause, nil).Message
	if errors.Is(cause, stack.ErrAddresses) {
		text += ": where an interface has several security groups, tag exactly one of them kubernetes.io/cluster/<name of the cluster>"
	}
	return problem{reason: reasonNetwork, message: "targets may get no traffic: the rules of their security groups are not as spec.networking asks: " + text}
}

// problem is what keeps the targets of a binding from being admitted, the zero value where nothing does.
func (n *Network) problem(key types.NamespacedName) problem {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.trouble[key]
}
