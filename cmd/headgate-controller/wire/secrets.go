package wire

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// secretData reads what is secret straight from the API server, when a plan is applied.
func secretData(mgr ctrl.Manager) cloud.Secrets {
	return func(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
		found := &corev1.Secret{}
		err := mgr.GetAPIReader().Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found)
		if apierrors.IsNotFound(err) {
			return nil, &fault.Error{Class: fault.NotFound, Action: "reading Secret " + ref.String(), Err: err}
		}
		if err != nil {
			return nil, fmt.Errorf("reading Secret %s: %w", ref, err)
		}
		return found.Data, nil
	}
}
