package pods

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node is a machine that is not there.
type Node struct {
	Name string
	// Zone and Region as AWS names them: us-west-2a, us-west-2.
	Zone, Region string
	// Instance is the EC2 instance: i-….
	Instance string
	// Address is the node's own, an address of the VPC.
	Address netip.Addr
	// Pods is the block that the node's pods get their addresses from.
	Pods netip.Prefix
}

// node is a Node and the addresses that its pods hold.
type node struct {
	Node
	mu   sync.Mutex
	next netip.Addr
	used map[netip.Addr]bool
	// attaching lets one attachment at a time tell the network, so that the last one told is the latest.
	attaching sync.Mutex
}

func newNode(described Node) *node {
	return &node{Node: described, next: described.Pods.Masked().Addr(), used: map[netip.Addr]bool{}}
}

// claim takes the wanted address if it is free and the node's, else the next one that is. An address that was
// given back is taken again last: whoever still believes in its old owner should meet nobody.
func (n *node) claim(wanted netip.Addr) (netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Pods.Contains(wanted) && !n.used[wanted] {
		n.used[wanted] = true
		return wanted, nil
	}
	candidate := n.next
	for range 1 << min(n.Pods.Addr().BitLen()-n.Pods.Bits(), maxPodBits) {
		if !n.Pods.Contains(candidate) {
			candidate = n.Pods.Masked().Addr()
		}
		following := candidate.Next()
		if !n.used[candidate] && candidate != n.Address {
			n.used[candidate], n.next = true, following
			return candidate, nil
		}
		candidate = following
	}
	return netip.Addr{}, fmt.Errorf("node %s has no address left in %s: %w", n.Name, n.Pods, errExhausted)
}

// maxPodBits bounds the search for a free address.
const maxPodBits = 16

func (n *node) release(address netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.used, address)
}

// addresses lists those in use, sorted.
func (n *node) addresses() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.SortedFunc(maps.Keys(n.used), netip.Addr.Compare)
}

// attach tells the network which addresses the node's pods have.
func (n *node) attach(ctx context.Context, network Network) error {
	n.attaching.Lock()
	defer n.attaching.Unlock()
	if err := network.Attach(ctx, n.Node, n.addresses()); err != nil {
		return fmt.Errorf("telling the network of the pods on %s: %w", n.Name, err)
	}
	return nil
}

// publishNodes makes the Node objects anew: an instance that is another one than last time is another node.
func (r *Runner) publishNodes(ctx context.Context) error {
	for _, n := range r.order {
		if err := r.publishNode(ctx, n.Node); err != nil {
			return fmt.Errorf("publishing node %s: %w", n.Name, err)
		}
	}
	return nil
}

func (r *Runner) publishNode(ctx context.Context, n Node) error {
	nodes := r.client.CoreV1().Nodes()
	if err := nodes.Delete(ctx, n.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the old one: %w", err)
	}
	object := n.object()
	if r.kubelet != nil {
		object.Status.DaemonEndpoints.KubeletEndpoint.Port = r.kubelet.port
	}
	if _, err := nodes.Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating it: %w", err)
	}
	// Admission taints every new node until the node lifecycle controller, which does not run, sees it ready.
	// Patches, for other controllers write to nodes as well.
	if _, err := nodes.Patch(ctx, n.Name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("removing its taints: %w", err)
	}
	status, err := json.Marshal(map[string]any{"status": object.Status})
	if err != nil {
		return fmt.Errorf("encoding its status: %w", err)
	}
	if _, err := nodes.Patch(ctx, n.Name, types.MergePatchType, status, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("writing its status: %w", err)
	}
	return nil
}

func (n Node) object() *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods: resource.MustParse("1000"), corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
	}
	now := metav1.Now()
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.labels()},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///" + n.Zone + "/" + n.Instance},
		Status: corev1.NodeStatus{
			Capacity: capacity, Allocatable: capacity,
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "the sandbox runs its pods",
				LastHeartbeatTime: now, LastTransitionTime: now,
			}},
			// The host name is where the API server asks for logs; the internal address is an identity.
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: n.Address.String()}, {Type: corev1.NodeHostName, Address: "127.0.0.1"},
			},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion: "v1.36.3", OperatingSystem: "linux", Architecture: "amd64", OSImage: "Headgate sandbox",
				ContainerRuntimeVersion: "echo://1", KernelVersion: "none",
			},
		},
	}
}

func (n Node) labels() map[string]string {
	return map[string]string{
		corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		corev1.LabelTopologyZone: n.Zone, corev1.LabelTopologyRegion: n.Region, corev1.LabelInstanceTypeStable: "m5.large",
	}
}
