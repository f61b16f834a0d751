package corpus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// backend is a Service port that a file refers to.
type backend struct{ namespace, service, port string }

// controllers' names in classes: ours, and that of network load balancers.
const (
	ingressController = "ingress.k8s.aws/alb"
	gatewayController = "gateway.k8s.aws/alb"
	networkController = "gateway.k8s.aws/nlb"
)

// standIns makes what strangers have beside their file: the classes, the Services and the parents of routes that it names and does not
// bring, and pods behind Services that it brings without.
func (t *trial) standIns(ctx context.Context, objects []*unstructured.Unstructured) error {
	has := map[string]bool{}
	for _, o := range objects {
		has[o.GetKind()+" "+o.GetName()] = true
		has[describe(t.placed(o))] = true
	}
	errs := []error{t.class(ctx, &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{Controller: ingressController},
	}, has["IngressClass alb"])}
	ports := map[backend]bool{}
	for _, o := range objects {
		o = t.placed(o)
		switch o.GetKind() {
		case "Ingress":
			backendsOfIngress(o, ports)
			errs = append(errs, t.certify(ctx, o))
		case "HTTPRoute", "GRPCRoute":
			backendsOfRoute(o, ports)
			errs = append(errs, t.parents(ctx, o, has))
		case "TargetGroupConfiguration":
			errs = append(errs, t.user(ctx, o, objects, ports))
		case "Gateway":
			errs = append(errs, t.besideGateway(ctx, o, has), t.certificates(ctx, o, objects, has))
		case "ListenerSet":
			errs = append(errs, t.certificates(ctx, o, objects, has))
		case "Service":
			errs = append(errs, t.podsBehind(ctx, o, objects))
		}
	}
	return errors.Join(append(errs, t.services(ctx, ports, has))...)
}

// certify has a certificate for the hosts of an Ingress that listens by HTTPS and names none: its author has one in ACM.
func (t *trial) certify(ctx context.Context, o *unstructured.Unstructured) error {
	in, ok := typed[networkingv1.Ingress](o)
	if _, named := in.Annotations["alb.ingress.kubernetes.io/certificate-arn"]; !ok || named || t.Certify == nil ||
		!strings.Contains(in.Annotations["alb.ingress.kubernetes.io/listen-ports"], "HTTPS") {
		return nil
	}
	var hosts []string
	for _, r := range in.Spec.Rules {
		if r.Host != "" {
			hosts = append(hosts, r.Host)
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	return t.Certify(ctx, hosts)
}

// typed is an object in its Go type; what is not of its form is the API server's to refuse.
func typed[T any](o *unstructured.Unstructured) (T, bool) {
	var out T
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &out)
	return out, err == nil
}

// placed is the object in the namespace that it will be in.
func (t *trial) placed(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetNamespace() != "" {
		return o
	}
	o = o.DeepCopy()
	o.SetNamespace(t.namespace)
	return o
}

// class has a class stand in for all files that use it, unless this one brings its own: then what stood in goes.
func (t *trial) class(ctx context.Context, class client.Object, own bool) error {
	if !own {
		if err := t.Client.Create(ctx, class); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("making the class %s: %w", class.GetName(), err)
		}
		return nil
	}
	if err := t.Client.Delete(ctx, class); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the class %s: %w", class.GetName(), err)
	}
	if !t.gone(ctx, class, time.Now().Add(t.Patience)) {
		return fmt.Errorf("%w: %s", errClass, class.GetName())
	}
	return nil
}

var errClass = errors.New("a class that stood in is not gone")

// services makes the Services of the ports, each with a pod behind it.
func (t *trial) services(ctx context.Context, ports map[backend]bool, has map[string]bool) error {
	services := map[backend][]string{}
	for b := range ports {
		if !has["Service "+b.namespace+"/"+b.service] && len(validation.IsDNS1035Label(b.service)) == 0 {
			key := backend{b.namespace, b.service, ""}
			services[key] = append(services[key], b.port)
		}
	}
	var errs []error
	for b, list := range services {
		slices.Sort(list)
		errs = append(errs, t.standIn(ctx, b, list))
	}
	return errors.Join(errs...)
}

func backendsOfIngress(o *unstructured.Unstructured, into map[backend]bool) {
	in, ok := typed[networkingv1.Ingress](o)
	if !ok {
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
		into[backend{o.GetNamespace(), b.Service.Name, port}] = true
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
	return t.make(ctx, deployment(b.namespace, b.service, labels, []corev1.ContainerPort{{ContainerPort: 8080}}))
}

// podsBehind makes a pod behind a Service whose file brings none.
func (t *trial) podsBehind(ctx context.Context, o *unstructured.Unstructured, objects []*unstructured.Unstructured) error {
	service, ok := typed[corev1.Service](o)
	if !ok || len(service.Spec.Selector) == 0 ||
		slices.ContainsFunc(objects, func(w *unstructured.Unstructured) bool {
			return t.placed(w).GetNamespace() == o.GetNamespace() && selects(service.Spec.Selector, w)
		}) {
		return nil
	}
	var ports []corev1.ContainerPort
	for i, p := range service.Spec.Ports {
		one := corev1.ContainerPort{ContainerPort: p.Port}
		switch {
		case p.TargetPort.StrVal != "":
			one.Name, one.ContainerPort = p.TargetPort.StrVal, int32(8080+i)
		case p.TargetPort.IntVal != 0:
			one.ContainerPort = p.TargetPort.IntVal
		}
		if !slices.Contains(ports, one) {
			ports = append(ports, one)
		}
	}
	return t.make(ctx, deployment(o.GetNamespace(), "corpus-"+o.GetName(), service.Spec.Selector, ports))
}

// selects tells whether an object runs pods that a selector chooses.
func selects(selector map[string]string, o *unstructured.Unstructured) bool {
	labels, found, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
	if !found && o.GetKind() == "Pod" {
		labels, found = o.GetLabels(), true
	}
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return found
}

func deployment(namespace, name string, labels map[string]string, ports []corev1.ContainerPort) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	d.Spec.Replicas = new(int32(1))
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	d.Spec.Template.Labels = labels
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "echo", Image: "echo", Ports: ports}}
	return d
}
