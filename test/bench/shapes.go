package main

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	className = "alb"
	// podsEach is the pods behind a Service, as in the incumbent's figures.
	podsEach = 3
	podPort  = 8080
	// pathsEach is the paths of an Ingress or route, each to a Service of its own.
	pathsEach   = 2
	servicePort = 80
)

// addressesEach is how many pods an interface holds: those of one /24 block, so that none lies at the edge of a subnet.
const addressesEach = 250

// allAddresses is how many there are: where a case has more pods, several Services share them.
const allAddresses = interfaces * addressesEach

// podAddress is the address of the nth pod of a case, in the private subnets of the simulator's VPC.
func podAddress(n int) string {
	const firstBlock, firstHost = 128, 4
	n %= allAddresses
	return fmt.Sprintf("10.0.%d.%d", firstBlock+n/addressesEach, firstHost+n%addressesEach)
}

// classes are there for all cases.
func classes() []client.Object {
	return []client.Object{
		&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: networkingv1.IngressClassSpec{Controller: "ingress.k8s.aws/alb"}},
		&gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: gwv1.GatewayClassSpec{ControllerName: "gateway.k8s.aws/alb"}},
	}
}

// backend is a Service without a selector, and its endpoints.
type backend struct {
	name      string
	addresses []string
}

func (b backend) objects(namespace string) []client.Object {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: b.name}
	port, portName := int32(podPort), ""
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: b.name, Labels: map[string]string{discoveryv1.LabelServiceName: b.name}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
	}
	for _, address := range b.addresses {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}})
	}
	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: servicePort, TargetPort: intPort(podPort)}}}}
	return []client.Object{service, slice}
}

// backends are those of all members.
func backends(h shape) []backend {
	var out []backend
	for i := range h.members {
		for j := range h.paths {
			b := backend{name: serviceName(i, j)}
			for k := range h.pods {
				b.addresses = append(b.addresses, podAddress(len(out)*h.pods+k))
			}
			out = append(out, b)
		}
	}
	return out
}

func serviceName(member, path int) string { return fmt.Sprintf("s%d-%d", member, path) }

func memberName(i int) string { return fmt.Sprintf("m%02d", i) }

// ingress is the ith member; group is empty for a load balancer of its own.
func ingress(namespace, group string, i, paths int) *networkingv1.Ingress {
	in := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: memberName(i), Annotations: map[string]string{
			"alb.ingress.kubernetes.io/scheme": "internet-facing", "alb.ingress.kubernetes.io/target-type": "ip",
		}},
		Spec: networkingv1.IngressSpec{IngressClassName: new(className)},
	}
	if group != "" {
		in.Annotations["alb.ingress.kubernetes.io/group.name"] = group
	}
	var rules networkingv1.HTTPIngressRuleValue
	for j := range paths {
		rules.Paths = append(rules.Paths, ingressPath("/p"+strconv.Itoa(j), serviceName(i, j)))
	}
	in.Spec.Rules = []networkingv1.IngressRule{{Host: memberName(i) + ".example.com", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &rules}}}
	return in
}

func ingressPath(path, service string) networkingv1.HTTPIngressPath {
	return networkingv1.HTTPIngressPath{
		Path: path, PathType: new(networkingv1.PathTypePrefix),
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: service, Port: networkingv1.ServiceBackendPort{Number: servicePort},
		}},
	}
}

// toldPath is answered as the annotation actions.told says.
func toldPath() networkingv1.HTTPIngressPath {
	return networkingv1.HTTPIngressPath{
		Path: "/told", PathType: new(networkingv1.PathTypePrefix),
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: "told", Port: networkingv1.ServiceBackendPort{Name: "use-annotation"},
		}},
	}
}

func gateway(namespace string) *gwv1.Gateway {
	return &gwv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "gateway"},
		Spec: gwv1.GatewaySpec{GatewayClassName: className, Listeners: []gwv1.Listener{{
			Name: "http", Port: servicePort, Protocol: gwv1.HTTPProtocolType,
		}}},
	}
}

func route(namespace string, i, paths int) *gwv1.HTTPRoute {
	r := &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: memberName(i)}}
	r.Spec.ParentRefs = []gwv1.ParentReference{{Name: "gateway"}}
	r.Spec.Hostnames = []gwv1.Hostname{gwv1.Hostname(memberName(i) + ".example.com")}
	for j := range paths {
		r.Spec.Rules = append(r.Spec.Rules, routeRule("/p"+strconv.Itoa(j), serviceName(i, j)))
	}
	return r
}

func routeRule(path, service string) gwv1.HTTPRouteRule {
	port := gwv1.PortNumber(servicePort)
	return gwv1.HTTPRouteRule{
		Matches: []gwv1.HTTPRouteMatch{{Path: &gwv1.HTTPPathMatch{Type: new(gwv1.PathMatchPathPrefix), Value: &path}}},
		BackendRefs: []gwv1.HTTPBackendRef{{BackendRef: gwv1.BackendRef{
			BackendObjectReference: gwv1.BackendObjectReference{Name: gwv1.ObjectName(service), Port: &port},
		}}},
	}
}
