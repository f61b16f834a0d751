package ingress

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// TestStrictestPolicyCounts: nobody in a group, nor its class, loosens what another one asks for.
func TestStrictestPolicyCounts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why                        string
		class, params, own, leaver string
		want                       stack.Changes
		finding                    string
	}{
		{why: "nobody says anything", want: stack.Auto},
		{why: "the Ingress", own: "Approve", want: stack.Approve},
		{why: "the class, whatever the Ingress says", class: "Approve", own: "Auto", want: stack.Approve},
		{why: "its parameters", params: "Observe", class: "Approve", want: stack.Observe},
		{why: "who leaves", leaver: "ApproveDestructive", want: stack.ApproveDestructive},
		{why: "a class that cannot be read", class: "ask", want: stack.Approve, finding: "headgate.dev/changes"},
		{why: "an Ingress that cannot be read", own: "approve", want: stack.Approve, finding: "headgate.dev/changes"},
		{why: "who leaves cannot be read", leaver: "no", want: stack.Approve, finding: "headgate.dev/changes"},
	} {
		say := func(o metav1.Object, value string) {
			if value != "" {
				o.SetAnnotations(merged(o.GetAnnotations(), map[string]string{"headgate.dev/changes": value}))
			}
		}
		ing, gone := newIngress("group.name", "g"), newIngress("group.name", "g")
		gone.Name, gone.UID, gone.Finalizers = "gone", "gone", []string{Explicit("g").Finalizer()}
		gone.DeletionTimestamp = new(metav1.Now())
		class, params := newClass("alb", "p"), newParams(elbv2v1beta1.IngressClassParamsSpec{})
		params.Name = "p"
		say(ing, row.own)
		say(gone, row.leaver)
		say(class, row.class)
		say(params, row.params)
		req := Request(load(t, Explicit("g"), ing, gone, class, params, newService("web")), settingsIP())
		if req.Policy.Changes != row.want {
			t.Errorf("%s: %v, want %v", row.why, req.Policy.Changes, row.want)
		}
		if _, found := find(req.Findings, "headgate.dev/changes"); found != (row.finding != "") {
			t.Errorf("%s: findings %v", row.why, req.Findings)
		}
	}
}

// A value that cannot be read is told to who wrote it.
func TestPolicyOfTheClassThatCannotBeReadIsToldThere(t *testing.T) {
	t.Parallel()
	class := newClass("alb", "")
	class.Annotations = map[string]string{"headgate.dev/deletion-policy": "Keep"}
	req := Request(load(t, Implicit("shop", "web"), newIngress(), class, newService("web")), settingsIP())
	f, ok := find(req.Findings, "headgate.dev/deletion-policy")
	if !ok || f.Object.Kind != "IngressClass" || f.Severity != model.Warning || !req.Policy.Retain {
		t.Errorf("%+v, %+v", req.Findings, req.Policy)
	}
}

// A class that is gone may have said more: what the stack remembers of it counts.
func TestPolicyOfAClassThatIsGone(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{true, false} {
		ing := newIngress("group.name", "g")
		ing.Finalizers = []string{Explicit("g").Finalizer()}
		ing.DeletionTimestamp = new(metav1.Now())
		objects := []client.Object{ing, newService("web")}
		if there {
			objects = append(objects, newClass("alb", ""))
		}
		if req := Request(load(t, Explicit("g"), objects...), settingsIP()); req.Policy.Unread == there || len(req.Leaving) != 1 {
			t.Errorf("the class is there: %v, and what it says is missing: %v; %v leave", there, req.Policy.Unread, req.Leaving)
		}
	}
}

// TestPatienceOfClasses: the class or its parameters say how long target groups are waited for; the longer counts, and what cannot be read is
// told to who wrote it.
func TestPatienceOfClasses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, class, params string
		want               time.Duration
		finding            string
	}{
		{why: "nobody says anything"},
		{why: "the class", class: "10m", want: 10 * time.Minute},
		{why: "the longer of both", class: "90s", params: " 2m ", want: 2 * time.Minute},
		{why: "no time", class: "long", params: "2m", want: 2 * time.Minute, finding: "alb"},
		{why: "no unit", params: "10", finding: "p"},
		{why: "too long", class: "25h", finding: "alb"},
		{why: "none at all", class: "0s", finding: "alb"},
	} {
		class, params := newClass("alb", "p"), newParams(elbv2v1beta1.IngressClassParamsSpec{})
		params.Name = "p"
		for object, value := range map[metav1.Object]string{class: row.class, params: row.params} {
			if value != "" {
				object.SetAnnotations(map[string]string{stack.PatienceKey: value})
			}
		}
		req := Request(load(t, Explicit("g"), newIngress("group.name", "g"), class, params, newService("web")), settingsIP())
		f, _ := find(req.Findings, stack.PatienceKey)
		if req.Policy.Patience != row.want || f.Object.Name != row.finding {
			t.Errorf("%s: %s, want %s; told %q", row.why, req.Policy.Patience, row.want, f.Object.Name)
		}
	}
}
