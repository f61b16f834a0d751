package cluster_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/headgate/headgate/sandbox/cluster"
)

func TestADefinitionIsEstablishedWhenItSaysSo(t *testing.T) {
	t.Parallel()
	condition := func(kind, status string) any { return map[string]any{"type": kind, "status": status} }
	for _, row := range []struct {
		why    string
		status any
		want   bool
	}{
		{"the API server has not looked at it", nil, false},
		{"conditions are null at first", map[string]any{"conditions": nil}, false},
		{"names come before", map[string]any{"conditions": []any{condition("NamesAccepted", "True")}}, false},
		{"not yet", map[string]any{"conditions": []any{condition("Established", "False")}}, false},
		{"served", map[string]any{"conditions": []any{condition("NamesAccepted", "True"), condition("Established", "True")}}, true},
	} {
		definition := &unstructured.Unstructured{Object: map[string]any{}}
		if row.status != nil {
			definition.Object["status"] = row.status
		}
		if got := cluster.IsEstablished(definition); got != row.want {
			t.Errorf("%s: established is %t, want %t", row.why, got, row.want)
		}
	}
}
