package arrival_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/test/world"
)

// patience is how long something may take that happens by itself.
const patience = 60 * time.Second

// open starts a cluster.
func open(t *testing.T) *world.World {
	t.Helper()
	// The logger is one for the whole process, and outlives a test.
	log.SetLogger(funcr.New(func(_, line string) {
		if testing.Verbose() {
			fmt.Fprintln(os.Stderr, line)
		}
	}, funcr.Options{}))
	if err := world.Environment(); err != nil {
		t.Fatal(err)
	}
	return world.Open(t)
}

// TestKindsThatComeLater: without the Gateway API the operator runs, and says on its classes what is missing; Gateways are served as soon as
// theirs are installed, and ListenerSets when theirs follow, all without a restart.
func TestKindsThatComeLater(t *testing.T) {
	w := open(t)
	taken := uninstall(t, w.Client)
	r := w.NewRun(t, "arrival", nil)
	settings := r.Settings(nil)
	settings.Arrivals = 100 * time.Millisecond
	r.StartAs(settings)

	class := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "arrival"}}
	class.Spec.ControllerName = "gateway.k8s.aws/alb"
	create(t, w.Client, taken["gatewayclasses."+gwv1.GroupName])
	create(t, w.Client, class)
	until(t, w.Client, class, func() bool {
		c := meta.FindStatusCondition(class.Status.Conditions, "Accepted")
		return c != nil && c.Status == metav1.ConditionFalse && strings.Contains(c.Message, "is not installed")
	})
	for name, definition := range taken {
		if name != "listenersets."+gwv1.GroupName && name != "gatewayclasses."+gwv1.GroupName {
			create(t, w.Client, definition)
		}
	}
	gateway := &gwv1.Gateway{}
	everywhere := gwv1.NamespacesFromAll
	gateway.Namespace, gateway.Name, gateway.Spec.GatewayClassName = r.Name, "edge", "arrival"
	gateway.Spec.Listeners = []gwv1.Listener{{Name: "http", Port: 80, Protocol: gwv1.HTTPProtocolType}}
	gateway.Spec.AllowedListeners = &gwv1.AllowedListeners{Namespaces: &gwv1.ListenerNamespaces{From: &everywhere}}
	create(t, w.Client, gateway)
	until(t, w.Client, gateway, func() bool { return meta.IsStatusConditionTrue(gateway.Status.Conditions, "Programmed") })
	until(t, w.Client, class, func() bool {
		return meta.IsStatusConditionTrue(class.Status.Conditions, "Accepted") && len(class.Status.SupportedFeatures) > 0
	})
	for _, f := range class.Status.SupportedFeatures {
		if f.Name == "ListenerSet" {
			t.Error("ListenerSets are promised before they are installed")
		}
	}

	create(t, w.Client, taken["listenersets."+gwv1.GroupName])
	set := &gwv1.ListenerSet{ObjectMeta: metav1.ObjectMeta{Namespace: r.Name, Name: "more"}}
	set.Spec.ParentRef.Name = "edge"
	set.Spec.Listeners = []gwv1.ListenerEntry{{Name: "more", Port: 8080, Protocol: gwv1.HTTPProtocolType}}
	create(t, w.Client, set)
	until(t, w.Client, set, func() bool { return meta.IsStatusConditionTrue(set.Status.Conditions, "Programmed") })
	until(t, w.Client, gateway, func() bool {
		return gateway.Status.AttachedListenerSets != nil && *gateway.Status.AttachedListenerSets == 1
	})
}

// uninstall takes the kinds of the Gateway API away, and gives their definitions by name.
func uninstall(t *testing.T, c client.Client) map[string]client.Object {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinitionList"})
	if err := c.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	taken := map[string]client.Object{}
	for i := range list.Items {
		if definition := &list.Items[i]; strings.HasSuffix(definition.GetName(), "."+gwv1.GroupName) {
			take(t, c, definition)
			taken[definition.GetName()] = definition
		}
	}
	if taken["listenersets."+gwv1.GroupName] == nil || taken["gateways."+gwv1.GroupName] == nil {
		t.Fatalf("%d definitions were there", len(taken))
	}
	return taken
}

// take takes a definition away, with all objects of its kind, and makes it ready to be created again.
func take(t *testing.T, c client.Client, definition *unstructured.Unstructured) {
	t.Helper()
	if err := c.Delete(t.Context(), definition.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !apierrors.IsNotFound(c.Get(t.Context(), client.ObjectKeyFromObject(definition), definition.DeepCopy())); {
		if time.Since(begun) > patience {
			t.Fatalf("%s stays", definition.GetName())
		}
		time.Sleep(10 * time.Millisecond)
	}
	definition.SetResourceVersion("")
	definition.SetUID("")
	unstructured.RemoveNestedField(definition.Object, "status")
}

// create creates an object as soon as its kind is served.
func create(t *testing.T, c client.Client, o client.Object) {
	t.Helper()
	begun := time.Now()
	for {
		err := c.Create(t.Context(), o)
		if err == nil {
			return
		}
		if time.Since(begun) > patience {
			t.Fatalf("creating %T %s: %v", o, client.ObjectKeyFromObject(o), err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// until reads an object until what is asked for holds.
func until(t *testing.T, c client.Client, o client.Object, holds func() bool) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
		if holds() {
			return
		}
		if time.Since(begun) > patience {
			t.Fatalf("waited in vain: %T %+v", o, o)
		}
	}
}
