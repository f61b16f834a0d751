package isolation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/ingress"
)

// shared is a host that all members have paths of.
const shared = "shared.example.com"

// ask is a request to a member.
type ask struct {
	port       int
	host, path string
	// from is the address of the client; empty for any.
	from string
}

// member is one Ingress of the group with all that is its own: its namespace, its class, its Services and its Secrets.
type member struct {
	name, host string
	// objects as they are right; ing is among them.
	ing     *networkingv1.Ingress
	objects []kube.Object
	ports   []int
	// wants says what a request meets: see [view.answers].
	wants map[ask]string
	// flavours are what is special about it.
	flavours []string
}

func (m *member) namespace() string { return "team-" + m.name }

// newMember makes a member with two paths under a host of its own, and one under the shared host.
func newMember(name string) *member {
	m := &member{name: name, host: name + ".example.com", ports: []int{80}, wants: map[ask]string{}}
	labels := map[string]string{"team": name}
	className, controller := "class-"+name, ingress.ControllerName
	m.ing = &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace(), Name: name, Annotations: map[string]string{}},
		Spec:       networkingv1.IngressSpec{IngressClassName: &className},
	}
	m.set(annotations.GroupName, group)
	m.objects = []kube.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.namespace(), Labels: labels}},
		&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: networkingv1.IngressClassSpec{
			Controller: controller,
			Parameters: &networkingv1.IngressClassParametersReference{APIGroup: new("elbv2.k8s.aws"), Kind: "IngressClassParams", Name: className},
		}},
		&elbv2v1beta1.IngressClassParams{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: elbv2v1beta1.IngressClassParamsSpec{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: labels},
		}},
		m.service("a"), m.service("b"), m.ing,
	}
	return m
}

func (m *member) service(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace(), Name: name, UID: types.UID(m.name + name)},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{
			{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)},
		}},
	}
}

// set writes an annotation.
func (m *member) set(key, value string) { m.ing.Annotations[annotations.IngressPrefix+key] = value }

// encode is a value as JSON.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func use(name string) networkingv1.IngressBackend {
	return networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: name, Port: networkingv1.ServiceBackendPort{Name: "use-annotation"},
	}}
}

func to(service string) networkingv1.IngressBackend {
	return networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: service, Port: networkingv1.ServiceBackendPort{Number: 80},
	}}
}

// forward is what a request meets that a Service of the member answers.
func (m *member) forward(service string) string { return "forward " + m.name + "-" + service + ":80" }

// path adds a rule, and what requests to it meet on all ports.
func (m *member) path(host string, kind networkingv1.PathType, path string, b networkingv1.IngressBackend) {
	rule := networkingv1.IngressRule{Host: host}
	rule.HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: b}}}
	m.ing.Spec.Rules = append(m.ing.Spec.Rules, rule)
}

// wantAll says what a request meets on each of the member's ports.
func (m *member) wantAll(host, path, answer string) {
	for _, port := range m.ports {
		m.wants[ask{port: port, host: host, path: path}] = answer
	}
}

// finish gives the member its plain paths; guard comes before every answer of theirs.
func (m *member) finish(guard string) {
	m.path(m.host, networkingv1.PathTypeExact, "/b", to("b"))
	m.path(m.host, networkingv1.PathTypePrefix, "/", to("a"))
	m.path(shared, networkingv1.PathTypePrefix, "/"+m.name, to("a"))
	m.wantAll(m.host, "/", guard+m.forward("a"))
	m.wantAll(m.host, "/deep/er", guard+m.forward("a"))
	m.wantAll(m.host, "/b", guard+m.forward("b"))
	m.wantAll(shared, "/"+m.name+"/x", guard+m.forward("a"))
	if len(m.ports) > 1 || m.ports[0] != 80 {
		var ports []map[string]int
		for _, p := range m.ports {
			protocol := "HTTP"
			if p == 443 || p == 8443 {
				protocol = "HTTPS"
			}
			ports = append(ports, map[string]int{protocol: p})
		}
		m.set(annotations.ListenPorts, encode(ports))
	}
}

// settings makes the member the one that says what the whole load balancer is like.
func (m *member) settings(p props, r *rand.Rand) {
	m.ports = []int{80, 443}
	m.set(annotations.CertificateARN, p.certificate)
	m.set(annotations.Scheme, "internal")
	m.set(annotations.IPAddressType, "ipv4")
	m.set(annotations.LoadBalancerAttrs, "idle_timeout.timeout_seconds=75,routing.http2.enabled=false")
	m.set(annotations.Tags, "Team=platform,Cost=7")
	m.set(annotations.SSLPolicy, "ELBSecurityPolicy-TLS13-1-2-2021-06")
	m.set(annotations.ListenerAttributes+".HTTP-80", "routing.http.response.server.enabled=false")
	m.set(annotations.InboundCIDRs, "10.0.0.0/8,192.168.0.0/16")
	if r.IntN(2) == 0 {
		m.set("wafv2-acl-arn", p.firewall)
	}
	if r.IntN(2) == 0 {
		m.set(annotations.Subnets, p.subnets)
	}
	m.finish("")
}

// flavour is what is special about a member.
type flavour struct {
	name string
	make func(m *member, p props)
}

// flavours of members. Each finishes the member.
func flavours() []flavour {
	return []flavour{
		{"plain", func(m *member, _ props) { m.finish("") }},
		{"secure", func(m *member, p props) {
			m.ports = []int{80, 443}
			m.set(annotations.CertificateARN, p.certificate)
			m.finish("")
		}},
		{"sealed", sealed},
		{"sign-in", signIn},
		{"tokens", func(m *member, p props) {
			m.ports = []int{443}
			m.set(annotations.CertificateARN, p.certificate)
			m.set(annotations.JWTValidation, `{"jwksEndpoint":"https://idp.example.com/jwks","issuer":"https://idp.example.com"}`)
			m.finish("jwt-validation, ")
		}},
		{"actions", actions},
		{"restricted", restricted},
		{"health", func(m *member, _ props) {
			m.set(annotations.HealthPath, "/healthz")
			m.set(annotations.HealthInterval, "20")
			m.set(annotations.SuccessCodes, "200-299")
			m.set(annotations.TargetGroupAttrs, "deregistration_delay.timeout_seconds=30")
			m.set(annotations.BackendProtocol, "HTTPS")
			m.finish("")
		}},
		{"elsewhere", func(m *member, _ props) {
			m.ports = []int{8080}
			m.set(annotations.InboundCIDRs, "10.9.0.0/16")
			m.finish("")
		}},
		{"clients", func(m *member, p props) {
			m.ports = []int{8443}
			m.set(annotations.CertificateARN, p.certificate)
			m.set(annotations.MutualAuthentication, `[{"port":8443,"mode":"verify","trustStore":"`+p.trust+`"}]`)
			m.finish("")
		}},
	}
}

// sealed has its certificate from a Secret.
func sealed(m *member, p props) {
	m.ports, m.host = []int{443}, m.name+".example.net" // no certificate of the account is for it
	m.ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{m.host}, SecretName: "sealed"}}
	m.objects = append(m.objects, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace(), Name: "sealed"}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{"tls.crt": p.pair.Cert, "tls.key": p.pair.Key},
	})
	m.finish("")
}

// signIn lets only users in.
func signIn(m *member, p props) {
	m.ports = []int{443}
	m.set(annotations.CertificateARN, p.certificate)
	m.set(annotations.AuthType, "oidc")
	provider := map[string]string{"issuer": "https://idp.example.com", "secretName": "idp"}
	for _, key := range []string{"authorization", "token", "userInfo"} {
		provider[key+"Endpoint"] = "https://idp.example.com/" + key
	}
	m.set(annotations.AuthOIDC, encode(provider))
	m.objects = append(m.objects, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace(), Name: "idp"},
		Data:       map[string][]byte{"clientID": []byte("web"), "clientSecret": []byte("hidden-" + m.name)},
	})
	m.finish("authenticate-oidc, ")
}

// actions answers by annotations, conditions and transforms.
func actions(m *member, _ props) {
	m.set(annotations.Actions+".teapot", `{"type":"fixed-response","fixedResponseConfig":{"statusCode":"418","contentType":"text/plain","messageBody":"tea"}}`)
	m.set(annotations.Actions+".move", `{"type":"redirect","redirectConfig":{"host":"example.org","statusCode":"HTTP_302"}}`)
	m.set(annotations.Actions+".split", `{"type":"forward","forwardConfig":{"targetGroups":[`+
		`{"serviceName":"a","servicePort":"80","weight":3},{"serviceName":"b","servicePort":"80","weight":1}]}}`)
	m.set(annotations.Conditions+".teapot", `[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET","HEAD"]}}]`)
	m.set(annotations.Transforms+".split",
		`[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/split/(.*)$","replace":"/$1"}]}}]`)
	m.path(m.host, networkingv1.PathTypeExact, "/tea", use("teapot"))
	m.path(m.host, networkingv1.PathTypeExact, "/move", use("move"))
	m.path(m.host, networkingv1.PathTypeImplementationSpecific, "/split/*", use("split"))
	m.finish("")
	m.wantAll(m.host, "/tea", "fixed 418")
	m.wantAll(m.host, "/move", "redirect example.org")
	m.wantAll(m.host, "/split/x", fmt.Sprintf("transformed, forward %s-a:80*3 %s-b:80*1", m.name, m.name))
}

// restricted has a path that some addresses only may ask for.
func restricted(m *member, _ props) {
	m.set(annotations.Actions+".inner", `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"b","servicePort":"80"}]}}`)
	m.set(annotations.Conditions+".inner", `[{"field":"source-ip","sourceIpConfig":{"values":["10.1.0.0/16"]}}]`)
	m.path(m.host, networkingv1.PathTypeExact, "/inner", use("inner"))
	m.finish("")
	m.wants[ask{80, m.host, "/inner", "10.1.2.3"}] = m.forward("b")
	m.wants[ask{80, m.host, "/inner", "10.2.2.3"}] = m.forward("a")
}

// populate makes the members of the group.
func (w *world) populate(count int) {
	w.Helper()
	w.put(&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "nginx"}, Spec: networkingv1.IngressClassSpec{Controller: "k8s.io/ingress-nginx"}})
	all := flavours()
	for i := range count {
		m := newMember("m" + strconv.Itoa(i))
		if w.rand.IntN(2) == 0 {
			m.set(annotations.GroupOrder, strconv.Itoa(w.rand.IntN(11)-5))
		}
		if i == 0 {
			m.settings(w.props, w.rand)
			m.flavours = []string{"settings"}
		} else {
			f := all[w.rand.IntN(len(all))]
			f.make(m, w.props)
			m.flavours = []string{f.name}
		}
		w.members = append(w.members, m)
		w.create(m)
	}
}

// create puts the objects of a member into the API server.
func (w *world) create(m *member) {
	w.Helper()
	for _, o := range m.objects {
		w.put(o)
	}
}

// put makes an object what it is when it is right.
func (w *world) put(good kube.Object) {
	w.Helper()
	fresh, ok := good.DeepCopyObject().(kube.Object)
	have, ok2 := good.DeepCopyObject().(kube.Object)
	if !ok || !ok2 {
		w.Fatalf("%T is no object", good)
	}
	err := w.api.Get(w.Context(), kube.ObjectKeyFromObject(good), have)
	if kube.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err != nil {
		w.made++
		if _, ingress := good.(*networkingv1.Ingress); ingress {
			fresh.SetUID(types.UID(fmt.Sprint(good.GetName(), "-", w.made)))
		}
		err = w.api.Create(w.Context(), fresh)
	} else {
		fresh.SetResourceVersion(have.GetResourceVersion())
		fresh.SetUID(have.GetUID())
		fresh.SetFinalizers(have.GetFinalizers())
		if ing, ok := have.(*networkingv1.Ingress); ok {
			fresh.(*networkingv1.Ingress).Status = ing.Status
		}
		err = w.api.Update(w.Context(), fresh)
	}
	if err != nil {
		w.Fatal(err)
	}
}
