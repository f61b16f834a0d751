package corpus

import (
	"context"
	"errors"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

var errLingers = errors.New("a deletion that does not end")

// backend is a Service port that a file refers to.
type backend struct{ namespace, service, port string }

// standIns makes the Services that the file refers to and does not bring, each with a pod behind it, and the GatewayClasses.
func (t *trial) standIns(ctx context.Context, objects []*unstructured.Unstructured, has map[string]bool) error {
	ports := map[backend]bool{}
	for _, o := range objects {
		namespace := o.GetNamespace()
		if namespace == "" {
			namespace = t.namespace
		}
		switch o.GetKind() {
		case "Ingress":
			backendsOfIngress(o, namespace, ports)
		case "HTTPRoute":
			backendsOfRoute(o, namespace, ports)
		case "Gateway":
			name, _, _ := unstructured.NestedString(o.Object, "spec", "gatewayClassName")
			if len(validation.IsDNS1123Subdomain(name)) == 0 && !has["GatewayClass "+name] {
				class := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
				class.Spec.ControllerName = "gateway.k8s.aws/alb"
				if err := t.make(ctx, class); err != nil {
					return err
				}
			}
		}
	}
	services := map[backend][]string{}
	for b := range ports {
		if !has["Service "+b.namespace+"/"+b.service] && len(validation.IsDNS1035Label(b.service)) == 0 {
			key := backend{b.namespace, b.service, ""}
			services[key] = append(services[key], b.port)
		}
	}
	for b, list := range services {
		if err := t.standIn(ctx, b, list); err != nil {
			return err
		}
	}
	return nil
}

func backendsOfIngress(o *unstructured.Unstructured, namespace string, into map[backend]bool) {
	in := &networkingv1.Ingress{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, in) != nil {
		return
	}
	add := func(b *networkingv1.IngressBackend) {
		if b == nil || b.Service == nil || b.Service.Port.Name == "use-annotation" {
			return
		}
		port := b.Service.Port.Name
		if port == "" {
			port = strconv.Itoa(int(b.Service.Port.Number))
		}
		into[backend{namespace, b.Service.Name, port}] = true
	}
	add(in.Spec.DefaultBackend)
	for _, r := range in.Spec.Rules {
		if r.HTTP == nil {
			continue
		}
		for _, p := range r.HTTP.Paths {
			add(&p.Backend)
		}
	}
}

func backendsOfRoute(o *unstructured.Unstructured, namespace string, into map[backend]bool) {
	route := &gwv1.HTTPRoute{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, route) != nil {
		return
	}
	for _, r := range route.Spec.Rules {
		for _, b := range r.BackendRefs {
			if b.Kind != nil && *b.Kind != "Service" || b.Port == nil || b.Namespace != nil {
				continue
			}
			into[backend{namespace, string(b.Name), strconv.Itoa(int(*b.Port))}] = true
		}
	}
}

// standIn makes a Service with the ports and one pod.
func (t *trial) standIn(ctx context.Context, b backend, ports []string) error {
	labels := map[string]string{"corpus": b.service}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: b.service}}
	service.Spec.Selector = labels
	for i, p := range ports {
		port := corev1.ServicePort{Name: "p" + strconv.Itoa(i), Port: int32(1000 + i), TargetPort: intstr.FromInt32(8080)}
		if n, err := strconv.ParseInt(p, 10, 32); err == nil {
			port.Port = int32(n)
		} else {
			port.Name = strings.ToLower(p)
		}
		if port.Port < 1 {
			continue
		}
		service.Spec.Ports = append(service.Spec.Ports, port)
	}
	if len(service.Spec.Ports) == 0 {
		return nil
	}
	if err := t.make(ctx, service); err != nil {
		return err
	}
	one := int32(1)
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: b.service}}
	deployment.Spec.Replicas = &one
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "echo", Image: "echo", Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
	}}
	return t.make(ctx, deployment)
}
