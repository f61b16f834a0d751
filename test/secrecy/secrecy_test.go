package secrecy_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/test/world"
)

// canary is part of every secret.
const canary = "CANARY"

// debug is what --log-level=debug shows.
const debug = 4

// paper is what the operator writes line by line.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) line(prefix, args string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.WriteString(prefix + " " + args + "\n")
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// TestNoSecretIsPrinted holds invariant 9 against a whole operator that logs all it can, has AWS credentials, and is refused things.
func TestNoSecretIsPrinted(t *testing.T) {
	said := &paper{}
	log.SetLogger(funcr.New(said.line, funcr.Options{Verbosity: debug}))
	if err := world.Environment(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", canary+"-of-aws")
	t.Setenv("AWS_SESSION_TOKEN", canary+"-of-session")
	w := world.Open(t)
	r := w.NewRun(t, "secrecy", nil)
	if _, err := r.ImportCertificate("members.example.com"); err != nil {
		t.Fatal(err)
	}
	aws := &refusing{}
	r.Start(aws)
	r.Apply(r.Objects(filepath.Join("testdata", "shop.yaml"))...)
	needles := append(seal(t, r), canary)
	// Each of these comes of something that holds a secret: when they are there, it was read.
	for _, sign := range []string{
		"signed-in", "conditions.web", "CreateRule", "Certificate/imported/secrecy/good", "does not belong to the certificate", "ImportCertificate",
	} {
		r.Eventually("something is said of "+sign, func() error {
			if !strings.Contains(public(t, w.Client), sign) {
				return errors.New("not yet")
			}
			return nil
		})
	}
	r.Eventually("AWS is given the secret of a client, and refuses it", func() error {
		if !aws.given.Load() {
			return errors.New("not yet")
		}
		return nil
	})
	r.Stop()
	for where, text := range map[string]string{"log": said.String(), "what the API server shows": public(t, w.Client)} {
		if text == "" {
			t.Errorf("the %s is empty: nothing was looked through", where)
		}
		for line := range strings.Lines(text) {
			for _, needle := range needles {
				if strings.Contains(line, needle) {
					t.Errorf("the %s has a secret: %s", where, line)
				}
			}
		}
	}
}

// refusing is a transport with which AWS refuses rules, and imports of one Secret, once it has seen the request with its signature.
type refusing struct {
	// given tells whether a rule came with the secret of a client.
	given atomic.Bool
}

func (f *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a call: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("imported/secrecy/refused")) {
		return answer(r, http.StatusBadRequest, `{"__type": "AccessDeniedException", "message": "no"}`), nil
	}
	if !bytes.Contains(body, []byte("Action=CreateRule")) {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, fmt.Errorf("passing a call on: %w", err)
		}
		return answer, nil
	}
	if bytes.Contains(body, []byte("ClientSecret="+canary)) {
		f.given.Store(true)
	}
	const refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
	return answer(r, http.StatusForbidden, refusal), nil
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// public is all that the operator wrote into the API server, an object a line. What users wrote there is theirs.
func public(t *testing.T, c client.Client) string {
	t.Helper()
	var (
		out       strings.Builder
		events    corev1.EventList
		news      eventsv1.EventList
		ingresses networkingv1.IngressList
		balancers headgatev1alpha1.LoadBalancerList
		states    headgatev1alpha1.StackStateList
		bindings  elbv2v1beta1.TargetGroupBindingList
	)
	for _, list := range []client.ObjectList{&events, &news, &ingresses, &balancers, &states, &bindings} {
		if err := c.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for i := range ingresses.Items {
		ingresses.Items[i].Annotations, ingresses.Items[i].ManagedFields = nil, nil
		ingresses.Items[i].Spec = networkingv1.IngressSpec{}
	}
	encoder := json.NewEncoder(&out)
	for _, list := range []client.ObjectList{&events, &news, &ingresses, &balancers, &states, &bindings} {
		if err := encoder.Encode(list); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range states.Items {
		for _, packed := range s.Spec.Fragments {
			out.WriteString(unpacked(t, packed) + "\n")
		}
	}
	return out.String()
}

func unpacked(t *testing.T, packed []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
