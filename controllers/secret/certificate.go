package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/material"
)

// Reasons why a Secret cannot be used.
const (
	ReasonMissing = "SecretNotFound"
	ReasonInvalid = "InvalidCertificate"
)

// Label is what a Secret must carry to be used; the zero value asks for nothing.
type Label struct{ Key, Value string }

// ParseLabel reads "key=value"; an empty text asks for nothing.
func ParseLabel(s string) (Label, error) {
	if s == "" {
		return Label{}, nil
	}
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" || value == "" {
		return Label{}, fmt.Errorf("%q is not of the form key=value", s)
	}
	return Label{Key: key, Value: value}, nil
}

// On tells whether the label is on a Secret.
func (l Label) On(s *corev1.Secret) bool { return l.Key == "" || s.Labels[l.Key] == l.Value }

// Rules are what the operator asks of Secrets.
type Rules struct {
	Label Label
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Certificate is what everybody may see of the certificate in a Secret, or what is wrong with it.
func (r Rules) Certificate(ctx context.Context, from client.Reader, ref model.SecretRef) (intent.Secret, error) {
	out := intent.Secret{Ref: ref}
	found := &corev1.Secret{}
	err := from.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found)
	switch {
	case apierrors.IsNotFound(err):
		out.Reason, out.Problem = ReasonMissing, fmt.Sprintf("there is no Secret %s; make it, with tls.crt and tls.key", ref)
		return out, nil
	case err != nil:
		return out, fmt.Errorf("reading Secret %s: %w", ref, err)
	case !r.Label.On(found):
		out.Reason, out.Problem = ReasonMissing, fmt.Sprintf(
			"Secret %s is not to be read without the label %s=%s (--required-secrets-label); add it", ref, r.Label.Key, r.Label.Value)
		return out, nil
	}
	if len(found.Data[corev1.TLSCertKey]) == 0 || len(found.Data[corev1.TLSPrivateKeyKey]) == 0 {
		out.Reason, out.Problem = ReasonInvalid, fmt.Sprintf(
			"Secret %s of type %s has not both tls.crt and tls.key; write them, as a Secret of type %s has them", ref, typeOf(found), corev1.SecretTypeTLS)
		return out, nil
	}
	read, err := material.Read(found.Data[corev1.TLSCertKey], found.Data[corev1.TLSPrivateKeyKey], r.now())
	if problem, bad := errors.AsType[material.ProblemError](err); bad {
		out.Reason, out.Problem = ReasonInvalid, fmt.Sprintf("Secret %s: %s", ref, problem)
		return out, nil
	}
	out.Digest, out.Domains, out.KeyAlgorithm = read.Digest, read.Domains, read.KeyAlgorithm
	out.NotAfter, out.RenewBy = read.NotAfter, read.RenewBy
	return out, nil
}

// typeOf is the type of a Secret; one without is Opaque.
func typeOf(s *corev1.Secret) corev1.SecretType {
	if s.Type == "" {
		return corev1.SecretTypeOpaque
	}
	return s.Type
}

func (r Rules) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}
