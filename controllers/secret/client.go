package secret

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/credential"
)

// ReasonInvalidClient is the reason why a Secret is no client of an identity provider.
const ReasonInvalidClient = "InvalidSecret"

// Client is what everybody may see of a client of an identity provider.
type Client struct {
	// ID is its identifier; Digest is keyed, and tells one secret from another.
	ID, Digest string
	// Problem says why it cannot be used and how to mend that, with Reason; empty where it can.
	Problem, Reason string
}

// Client is the client in a Secret, or what is wrong with it. Its digest is keyed by the cluster's name.
func (r Rules) Client(ctx context.Context, from client.Reader, ref model.SecretRef, cluster string) (Client, error) {
	found := &corev1.Secret{}
	err := from.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found)
	switch {
	case apierrors.IsNotFound(err):
		return Client{Reason: ReasonMissing, Problem: fmt.Sprintf("there is no Secret %s; make it, with clientID and clientSecret", ref)}, nil
	case err != nil:
		return Client{}, fmt.Errorf("reading Secret %s: %w", ref, err)
	case !r.Label.On(found):
		return Client{Reason: ReasonMissing, Problem: fmt.Sprintf(
			"Secret %s is not to be read without the label %s=%s (--required-secrets-label); add it", ref, r.Label.Key, r.Label.Value)}, nil
	}
	read, err := credential.Read(contentOf(found))
	if err != nil {
		return Client{Reason: ReasonInvalidClient, Problem: fmt.Sprintf("Secret %s is no client of a provider: %v", ref, err)}, nil
	}
	return Client{ID: read.ID, Digest: read.Digest(cluster, ref)}, nil
}

// contentOf is what a Secret holds, also where it was read from a manifest and not from an API server.
func contentOf(s *corev1.Secret) map[string][]byte {
	out := map[string][]byte{}
	maps.Copy(out, s.Data)
	for k, v := range s.StringData {
		out[k] = []byte(v)
	}
	return out
}
