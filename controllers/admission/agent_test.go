package admission

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

func agentConfig(namespace, image string) *elbv2v1beta1.ALBTargetControlConfig {
	return &elbv2v1beta1.ALBTargetControlConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: elbv2v1beta1.TargetControlConfigName},
		Spec: elbv2v1beta1.ALBTargetControlConfigSpec{
			Image: image, DataAddress: "0.0.0.0:80", ControlAddress: "0.0.0.0:3000", DestinationAddress: "127.0.0.1:8080",
			MaxConcurrency: new(int32(4)), ProtocolVersion: new("HTTP1"),
		},
	}
}

// equip has a pod judged, and gives what is put into it, each setting a line, or the warning.
func equip(t *testing.T, pod *corev1.Pod, configs ...client.Object) []string {
	t.Helper()
	s := scheme(t)
	a := NewAgents(fake.NewClientBuilder().WithScheme(s).WithObjects(configs...).Build(), admission.NewDecoder(s), "operator")
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	res := a.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Namespace: "shop", Object: runtime.RawExtension{Raw: raw},
	}})
	if !res.Allowed {
		t.Fatalf("the pod is kept out: %v", res.Result)
	}
	out, marked := res.Warnings, false
	var added []corev1.Container
	for _, patch := range res.Patches {
		value, err := json.Marshal(patch.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(patch.Path, "/metadata/annotations"):
			marked = strings.Contains(patch.Path+string(value), "-injected")
		case patch.Path != "/spec/initContainers" || json.Unmarshal(value, &added) != nil:
			t.Errorf("%s %s changes more than the agent", patch.Operation, patch.Path)
		}
	}
	if len(res.Patches) > 0 && !marked {
		t.Error("the pod is not marked")
	}
	return append(out, described(t, added)...)
}

// described are containers, each setting a line.
func described(t *testing.T, added []corev1.Container) []string {
	t.Helper()
	var out []string
	for i := range added {
		c := &added[i]
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways || c.Name != agentName {
			t.Errorf("it does not stay, or has another name: %+v", c)
		}
		out = append(out, "image "+c.Image)
		for _, e := range c.Env {
			out = append(out, e.Name+"="+e.Value)
		}
		for _, p := range c.Ports {
			out = append(out, p.Name)
		}
		for name, q := range c.Resources.Limits {
			out = append(out, "limit "+name.String()+" "+q.String())
		}
	}
	return out
}

func TestAgents(t *testing.T) {
	t.Parallel()
	pod := func(label string, annotations ...string) *corev1.Pod {
		p := podWith()
		p.Annotations = map[string]string{}
		if label != "" {
			p.Labels[agentLabel] = label
		}
		for i := 0; i < len(annotations); i += 2 {
			p.Annotations[agentPrefix+annotations[i]] = annotations[i+1]
		}
		return p
	}
	addresses := []string{
		"TARGET_CONTROL_DATA_ADDRESS=0.0.0.0:80", "TARGET_CONTROL_CONTROL_ADDRESS=0.0.0.0:3000", "TARGET_CONTROL_DESTINATION_ADDRESS=127.0.0.1:8080",
	}
	full := func(image string) []string {
		return append(append([]string{"image " + image}, addresses...), "TARGET_CONTROL_MAX_CONCURRENCY=4", "TARGET_CONTROL_PROTOCOL_VERSION=HTTP1", "data", "control")
	}
	for _, row := range []struct {
		why     string
		pod     *corev1.Pod
		configs []client.Object
		want    []string
	}{
		{"the default configuration", pod(""), []client.Object{agentConfig("operator", "a")}, full("a")},
		{"that of the namespace stands in its place", pod("true"), []client.Object{agentConfig("operator", "a"), agentConfig("shop", "b")}, full("b")},
		{"a pod that says no", pod("false"), []client.Object{agentConfig("operator", "a")}, nil},
		{"a pod that has it", pod("true", "injected", "true"), []client.Object{agentConfig("operator", "a")}, nil},
		{"annotations win", pod("true", "image", "c", "max-concurrency", "0", "cpu-limit", "100m", "rust-log", "debug"),
			[]client.Object{agentConfig("operator", "a")},
			append(append([]string{"image c"}, addresses...), "TARGET_CONTROL_MAX_CONCURRENCY=0", "TARGET_CONTROL_PROTOCOL_VERSION=HTTP1", "RUST_LOG=debug",
				"data", "control", "limit cpu 100m")},
	} {
		if diff := cmp.Diff(row.want, equip(t, row.pod, row.configs...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.why, diff)
		}
	}
	for why, row := range map[string]struct {
		pod     *corev1.Pod
		configs []client.Object
		want    string
	}{
		"nothing says which image":      {pod("true"), nil, elbv2v1beta1.TargetControlConfigName},
		"an address without a port":     {pod("true", "data-address", "here"), []client.Object{agentConfig("shop", "a")}, "0.0.0.0:8080"},
		"more than the agent can count": {pod("true", "max-concurrency", "5000"), []client.Object{agentConfig("shop", "a")}, "0 to 1000"},
		"no quantity":                   {pod("true", "memory-limit", "much"), []client.Object{agentConfig("shop", "a")}, "64Mi"},
	} {
		got := equip(t, row.pod, row.configs...)
		if len(got) != 1 || !strings.Contains(got[0], row.want) {
			t.Errorf("%s: %q, want one warning with %q", why, got, row.want)
		}
	}
}
