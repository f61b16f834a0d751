package gateway

import (
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// partner is the owner that the Gateway names by a key, nil for none.
func (v *Verdict) partner(key string) *model.Owner {
	if v.snapshot.Gateway == nil {
		return nil
	}
	value, written := v.snapshot.Gateway.Annotations[annotations.ExtensionPrefix+key]
	if !written {
		return nil
	}
	owner, err := annotations.Partner(v.Intent.Owner.Cluster, value)
	if err == nil {
		return &owner
	}
	v.Findings = append(v.Findings, model.Finding{
		Object: gatewayRef(v.snapshot.Gateway), Severity: model.Wrong, Reason: "NothingMoved", Field: annotations.ExtensionPrefix + key,
		Message: err.Error(),
	})
	return nil
}
