package ingress

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

func newScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, networkingv1.AddToScheme, elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

// corpus is the folder of manifests that strangers wrote, empty where there is none.
func corpus() string {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, "ingress")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// decodeFile reads the objects of a file that the scheme knows, as they are written.
func decodeFile(t *testing.T, scheme *runtime.Scheme, file string) []client.Object {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	reader := yaml.NewYAMLReader(bufio.NewReader(f))
	var out []client.Object
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Logf("not for us: %v", err)
			continue
		}
		o := object.(client.Object)
		if o.GetNamespace() == "" {
			o.SetNamespace("default")
		}
		if o.GetName() == "" {
			o.SetName("unnamed")
		}
		out = append(out, o)
	}
}

func TestCorpus(t *testing.T) {
	dir := corpus()
	if dir == "" {
		t.Log("the corpus is not there: nothing is read")
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in the corpus: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			scheme := newScheme(t)
			objects := decodeFile(t, scheme, file)
			hasClass := false
			for _, o := range objects {
				if _, ok := o.(*networkingv1.IngressClass); ok {
					hasClass = true
				}
			}
			if !hasClass {
				objects = append(objects, defaultClassObject())
			}
			r := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
			serveAll(t, r, objects)
		})
	}
}

// serveAll checks that every Ingress gives routes or a finding about itself.
func serveAll(t *testing.T, r client.Reader, objects []client.Object) {
	t.Helper()
	set := Settings{ClusterName: "c", DefaultTargetType: "ip"}
	keys, err := Groups(t.Context(), r, set)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, key := range keys {
		g, err := Load(t.Context(), r, set, key)
		if err != nil {
			t.Fatal(err)
		}
		in, findings := intentOf(g, set)
		for _, f := range findings {
			told[f.Object.Namespace+"/"+f.Object.Name] = true
			t.Log(f)
		}
		for _, f := range in.Fragments {
			if len(f.Routes) > 0 || len(f.Listeners) > 0 && f.Listeners[0].Default != nil {
				told[f.Member.Namespace+"/"+f.Member.Name] = true
			}
		}
	}
	for _, o := range objects {
		ing, ok := o.(*networkingv1.Ingress)
		if !ok || told[ing.Namespace+"/"+ing.Name] {
			continue
		}
		if len(groupsOf(t, r, ing)) > 0 {
			t.Errorf("Ingress %s/%s gives neither routes nor a finding", ing.Namespace, ing.Name)
		}
	}
}

func defaultClassObject() *networkingv1.IngressClass {
	class := &networkingv1.IngressClass{}
	class.Name = "alb"
	class.Annotations = map[string]string{defaultAnnotation: "true"}
	class.Spec.Controller = ControllerName
	return class
}
