package cluster

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// IsEstablished lets tests show definitions as they are for a moment only.
func IsEstablished(definition *unstructured.Unstructured) bool { return isEstablished(definition) }
