package wire

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

var errAbsent = errors.New("it is absent, or lacks the label that is required")

// secrets is how the operator reads Secrets: for what everybody may see of them by the book, and for what is secret in them straight from
// the API server, when a plan is applied.
type secrets struct {
	book  *secret.Book
	maps  *secret.ConfigMaps
	rules secret.Rules
	live  client.Reader
}

func newSecrets(mgr ctrl.Manager, s Settings) (*secrets, error) {
	rules, err := secretRules(s)
	if err != nil {
		return nil, err
	}
	api, err := client.NewWithWatch(mgr.GetConfig(), client.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
	})
	if err != nil {
		return nil, fmt.Errorf("building the client of Secrets: %w", err)
	}
	out := &secrets{book: secret.New(api), maps: secret.NewConfigMaps(api), rules: rules, live: api}
	if err := mgr.Add(out.book); err != nil {
		return nil, fmt.Errorf("adding the book of Secrets: %w", err)
	}
	if err := mgr.Add(out.maps); err != nil {
		return nil, fmt.Errorf("adding the book of ConfigMaps: %w", err)
	}
	return out, nil
}

// data is what a Secret holds now.
func (s *secrets) data(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
	found := &corev1.Secret{}
	err := s.live.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found)
	if apierrors.IsNotFound(err) || err == nil && !s.rules.Label.On(found) {
		return nil, &fault.Error{Class: fault.NotFound, Action: "reading Secret " + ref.String(), Err: errAbsent}
	}
	if err != nil {
		return nil, fmt.Errorf("asking the API server: %w", err)
	}
	return found.Data, nil
}

// authorities is what a ConfigMap holds of them now.
func (s *secrets) authorities(ctx context.Context, ref model.ConfigMapRef) (string, error) {
	found := &corev1.ConfigMap{}
	err := s.live.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found)
	if apierrors.IsNotFound(err) {
		return "", &fault.Error{Class: fault.NotFound, Action: "reading ConfigMap " + ref.String(), Err: errAbsent}
	}
	if err != nil {
		return "", fmt.Errorf("asking the API server: %w", err)
	}
	return found.Data[gateway.AuthorityKey], nil
}
