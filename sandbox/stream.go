package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	runtimeclient "sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

// Stream writes a line for everything that happens to load balancers, and for every event of the operator,
// until the context ends.
func (s *Sandbox) Stream(ctx context.Context, out io.Writer) error {
	client, err := dynamic.NewForConfig(s.cluster.Config())
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	reader, err := runtimeclient.New(s.cluster.Config(), runtimeclient.Options{})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	t := &teller{out: out, since: time.Now(), where: s.where, gone: func(about corev1.ObjectReference) bool { return gone(ctx, reader, about) }}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	for resource, handle := range map[schema.GroupVersionResource]cache.ResourceEventHandlerFuncs{
		{Group: "headgate.dev", Version: "v1alpha1", Resource: "loadbalancers"}: {
			AddFunc:    func(object any) { t.balancer(nil, object) },
			UpdateFunc: t.balancer,
			DeleteFunc: func(object any) { t.balancer(object, nil) },
		},
		{Version: "v1", Resource: "events"}: {
			AddFunc:    func(object any) { t.event(nil, object) },
			UpdateFunc: t.event,
		},
	} {
		if _, err := factory.ForResource(resource).Informer().AddEventHandler(handle); err != nil {
			return fmt.Errorf("watching %s: %w", resource.Resource, err)
		}
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	return nil
}

// where names the addresses on which a load balancer listens here.
func (s *Sandbox) where(dnsName string) string {
	for _, one := range s.simulator.LoadBalancers() {
		if one.DNSName != dnsName || !one.Address.IsValid() || len(one.Ports) == 0 {
			continue
		}
		var addresses []string
		for _, port := range one.Ports {
			addresses = append(addresses, net.JoinHostPort(one.Address.String(), strconv.Itoa(int(port)+s.options.PortOffset)))
		}
		return "(here: " + strings.Join(addresses, ", ") + ")"
	}
	return ""
}

// teller writes what happened, one line at a time.
type teller struct {
	since time.Time
	mu    sync.Mutex
	out   io.Writer
	// where says how a load balancer is reached on this machine.
	where func(dnsName string) string
	// gone says whether an object that an event is about was deleted.
	gone func(about corev1.ObjectReference) bool
}

func (t *teller) say(mark, subject, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A reader that went away misses what happens, nothing else.
	_, _ = fmt.Fprintf(t.out, "%s %s %s  %s\n", time.Now().Format(time.TimeOnly), mark, subject, text)
}

// balancer tells what is different between two states of a load balancer; nil is no load balancer.
func (t *teller) balancer(before, after any) {
	was, _ := decode[headgatev1alpha1.LoadBalancer](before)
	is, exists := decode[headgatev1alpha1.LoadBalancer](after)
	subject := "lb " + cmp.Or(is.Name, was.Name)
	if !exists {
		t.say("-", subject, "gone")
		return
	}
	if is.Status.State != was.Status.State && is.Status.State != "" {
		t.say("+", subject, strings.Join(strings.Fields(is.Status.State+" "+is.Status.DNSName+" "+t.where(is.Status.DNSName)), " "))
	}
	for _, group := range is.Status.Targets {
		i := slices.IndexFunc(was.Status.Targets, func(g headgatev1alpha1.TargetGroupStatus) bool { return g.Name == group.Name })
		if i < 0 || was.Status.Targets[i].Healthy != group.Healthy || was.Status.Targets[i].Total != group.Total {
			t.say("~", subject, fmt.Sprintf("targets of %s: %d/%d healthy", cmp.Or(group.Backend, group.Name), group.Healthy, group.Total))
		}
	}
	if failure := is.Status.LastError; failure != nil && (was.Status.LastError == nil || was.Status.LastError.At != failure.At) {
		t.say("!", subject, failure.Code+": "+failure.Message)
	}
}

// event tells events about what the operator serves, and warnings about anything.
func (t *teller) event(before, after any) {
	was, had := decode[corev1.Event](before)
	is, _ := decode[corev1.Event](after)
	if had && was.Count == is.Count && was.Series == is.Series || happened(is).Before(t.since.Add(-time.Second)) {
		return
	}
	mark := "."
	switch {
	case is.Type == corev1.EventTypeWarning && !mended(is.InvolvedObject):
		if t.gone(is.InvolvedObject) {
			return
		}
		mark = "!"
	case !served(is.InvolvedObject):
		return
	}
	name := is.InvolvedObject.Name
	if is.InvolvedObject.Namespace != "" {
		name = is.InvolvedObject.Namespace + "/" + name
	}
	t.say(mark, is.InvolvedObject.Kind+" "+name, is.Reason+": "+is.Message)
}

// happened is the event's last time; which field has it depends on the API that it was written with.
func happened(e corev1.Event) time.Time {
	latest := e.CreationTimestamp.Time
	for _, at := range []time.Time{e.LastTimestamp.Time, e.EventTime.Time} {
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}

// mended tells whether the controllers themselves mend what they warn of: two of them race for the endpoints of
// every new service.
func mended(object corev1.ObjectReference) bool {
	return object.Kind == "Endpoints" || object.Kind == "EndpointSlice"
}

// gone tells whether an object is there no more, or another one by its name: whatever a controller failed to do about it while it was
// being deleted needs nobody's attention.
func gone(ctx context.Context, reader runtimeclient.Reader, about corev1.ObjectReference) bool {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(schema.FromAPIVersionAndKind(about.APIVersion, about.Kind))
	err := reader.Get(ctx, runtimeclient.ObjectKey{Namespace: about.Namespace, Name: about.Name}, object)
	return apierrors.IsNotFound(err) || err == nil && about.UID != "" && object.UID != about.UID
}

// served tells whether the operator serves objects of that kind.
func served(object corev1.ObjectReference) bool {
	group, _, _ := strings.Cut(object.APIVersion, "/")
	return group == "networking.k8s.io" || strings.HasPrefix(group, "gateway.") || strings.HasSuffix(group, ".k8s.aws") || group == "headgate.dev"
}

// decode turns what a watch gave into its type; false for nothing.
func decode[T any](object any) (T, bool) {
	var value T
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	raw, ok := object.(*unstructured.Unstructured)
	if !ok {
		return value, false
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw.Object, &value)
	return value, err == nil
}
