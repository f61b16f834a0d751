package admission

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// AgentPaths are where the API server asks about pods that get the agent of the target optimizer, by their namespace's label and by their
// own, as the incumbent has them.
func AgentPaths() [2]string {
	return [2]string{"/mutate-alb-target-control-namespace-v1-pod", "/mutate-alb-target-control-object-v1-pod"}
}

const (
	// agentPrefix begins the labels and annotations about the agent.
	agentPrefix = "elbv2.k8s.aws/alb-target-control-agent-"
	agentLabel  = agentPrefix + "inject"
	agentMark   = agentPrefix + "injected"
	agentName   = "alb-target-control-agent"
)

// Agents puts the agent of the target optimizer into pods, as a sidecar: an init container that stays.
type Agents struct {
	client  client.Reader
	decoder admission.Decoder
	// namespace is where the default configuration is: the operator's own.
	namespace string
}

// NewAgents returns the injector, which reads configurations with reader: in the pod's namespace, else in this one.
func NewAgents(reader client.Reader, decoder admission.Decoder, namespace string) *Agents {
	return &Agents{client: reader, decoder: decoder, namespace: namespace}
}

// Handle gives a pod the agent. A pod for which it cannot be made is let in without, with a warning that says what is missing.
func (a *Agents) Handle(ctx context.Context, req admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := a.decoder.Decode(req, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	if !wantsAgent(pod) {
		return admission.Allowed("")
	}
	spec, err := a.config(ctx, cmp.Or(pod.Namespace, req.Namespace))
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	agent, err := newAgent(pod, spec)
	if err != nil {
		return admission.Allowed("").WithWarnings("no target control agent is put into the pod: " + err.Error())
	}
	pod.Spec.InitContainers = append([]corev1.Container{agent}, pod.Spec.InitContainers...)
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[agentMark] = "true"
	changed, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, changed)
}

// wantsAgent tells whether a pod of those that the API server asks about gets the agent: not twice, and not where its label says no.
func wantsAgent(pod *corev1.Pod) bool {
	named := func(c corev1.Container) bool { return c.Name == agentName }
	return pod.Labels[agentLabel] != "false" && pod.Annotations[agentMark] != "true" &&
		!slices.ContainsFunc(pod.Spec.Containers, named) && !slices.ContainsFunc(pod.Spec.InitContainers, named)
}

// config is the configuration of a namespace, else the default one, else an empty one.
func (a *Agents) config(ctx context.Context, namespace string) (elbv2v1beta1.ALBTargetControlConfigSpec, error) {
	for _, ns := range []string{namespace, a.namespace} {
		var found elbv2v1beta1.ALBTargetControlConfig
		key := client.ObjectKey{Namespace: ns, Name: elbv2v1beta1.TargetControlConfigName}
		err := a.client.Get(ctx, key, &found)
		if err == nil {
			return found.Spec, nil
		}
		if client.IgnoreNotFound(err) != nil {
			return elbv2v1beta1.ALBTargetControlConfigSpec{}, fmt.Errorf("reading ALBTargetControlConfig %s: %w", key, err)
		}
	}
	return elbv2v1beta1.ALBTargetControlConfigSpec{}, nil
}

// newAgent makes the container. Annotations of the pod win over the configuration.
func newAgent(pod *corev1.Pod, spec elbv2v1beta1.ALBTargetControlConfigSpec) (corev1.Container, error) {
	written := func(suffix string) string { return pod.Annotations[agentPrefix+suffix] }
	agent := corev1.Container{
		Name: agentName, Image: cmp.Or(written("image"), spec.Image), RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
	}
	if agent.Image == "" {
		return agent, missingOf("image")
	}
	for _, address := range []struct{ suffix, variable, port, configured string }{
		{"data-address", "TARGET_CONTROL_DATA_ADDRESS", "data", spec.DataAddress},
		{"control-address", "TARGET_CONTROL_CONTROL_ADDRESS", "control", spec.ControlAddress},
		{"destination-address", "TARGET_CONTROL_DESTINATION_ADDRESS", "", spec.DestinationAddress},
	} {
		value := cmp.Or(written(address.suffix), address.configured)
		port, err := portOf(address.suffix, value)
		if err != nil {
			return agent, err
		}
		agent.Env = append(agent.Env, corev1.EnvVar{Name: address.variable, Value: value})
		if address.port != "" {
			agent.Ports = append(agent.Ports, corev1.ContainerPort{Name: address.port, ContainerPort: port})
		}
	}
	for _, setting := range agentSettings(spec) {
		if value := cmp.Or(written(setting.suffix), setting.configured); value != "" {
			agent.Env = append(agent.Env, corev1.EnvVar{Name: setting.variable, Value: value})
		}
	}
	if n := written("max-concurrency"); n != "" && !concurrency(n) {
		return agent, fmt.Errorf("annotation %smax-concurrency is %q: write a number from 0 to 1000", agentPrefix, n)
	}
	var err error
	agent.Resources, err = agentResources(written)
	return agent, err
}

func missingOf(suffix string) error {
	return fmt.Errorf("it has no %s: make an ALBTargetControlConfig named %s, or write the annotation %s%s",
		suffix, elbv2v1beta1.TargetControlConfigName, agentPrefix, suffix)
}

func portOf(suffix, address string) (int32, error) {
	if address == "" {
		return 0, missingOf(suffix)
	}
	_, port, err := net.SplitHostPort(address)
	number, problem := strconv.ParseUint(port, 10, 16)
	if err != nil || problem != nil || number == 0 {
		return 0, fmt.Errorf("its %s is %q: write an address with a port, as 0.0.0.0:8080", suffix, address)
	}
	return int32(number), nil
}

func concurrency(text string) bool {
	const most = 1000
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= most
}

type agentSetting struct{ suffix, variable, configured string }

func agentSettings(spec elbv2v1beta1.ALBTargetControlConfigSpec) []agentSetting {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	concurrency := ""
	if spec.MaxConcurrency != nil {
		concurrency = strconv.Itoa(int(*spec.MaxConcurrency))
	}
	return []agentSetting{
		{"max-concurrency", "TARGET_CONTROL_MAX_CONCURRENCY", concurrency},
		{"tls-cert-path", "TARGET_CONTROL_TLS_CERT_PATH", text(spec.TLSCertPath)},
		{"tls-key-path", "TARGET_CONTROL_TLS_KEY_PATH", text(spec.TLSKeyPath)},
		{"policy", "TARGET_CONTROL_TLS_SECURITY_POLICY", text(spec.TLSSecurityPolicy)},
		{"protocol-version", "TARGET_CONTROL_PROTOCOL_VERSION", text(spec.ProtocolVersion)},
		{"rust-log", "RUST_LOG", text(spec.RustLog)},
	}
}

// agentResources are what the annotations ask for.
func agentResources(written func(string) string) (corev1.ResourceRequirements, error) {
	var out corev1.ResourceRequirements
	for _, r := range []struct {
		suffix string
		name   corev1.ResourceName
		list   *corev1.ResourceList
	}{
		{"cpu-request", corev1.ResourceCPU, &out.Requests},
		{"memory-request", corev1.ResourceMemory, &out.Requests},
		{"cpu-limit", corev1.ResourceCPU, &out.Limits},
		{"memory-limit", corev1.ResourceMemory, &out.Limits},
	} {
		text := written(r.suffix)
		if text == "" {
			continue
		}
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return out, fmt.Errorf("annotation %s%s is %q: write a quantity, as 100m or 64Mi", agentPrefix, r.suffix, text)
		}
		if *r.list == nil {
			*r.list = corev1.ResourceList{}
		}
		(*r.list)[r.name] = quantity
	}
	return out, nil
}
