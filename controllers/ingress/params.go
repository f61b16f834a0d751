package ingress

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
)

// params are the parameters of the member's class; those of none are empty.
func (d *draft) params() *elbv2v1beta1.IngressClassParams {
	if d.member.Class == nil || d.member.Class.Params == nil {
		return &elbv2v1beta1.IngressClassParams{}
	}
	return d.member.Class.Params
}

func (d *draft) classField(field string) string {
	return paramsKind + " " + d.params().Name + " " + field
}

func paramsRef(p *elbv2v1beta1.IngressClassParams) model.ObjectRef {
	return model.ObjectRef{Group: paramsGroup, Kind: paramsKind, Name: p.Name, UID: string(p.UID)}
}

// checkClass finds all that is wrong with the class's parameters.
func (d *draft) checkClass() {
	spec := d.params().Spec
	d.checkClassAddons()
	if name := spec.LoadBalancerName; name != "" {
		d.checkField("spec.loadBalancerName", annotations.CheckLoadBalancerName(name))
	}
	if port := strings.TrimSpace(spec.SSLRedirectPort); port != "" {
		d.checkField("spec.sslRedirectPort", annotations.CheckPort(port))
	}
	d.checkSubnets(spec.Subnets)
	for _, arn := range spec.CertificateArn {
		d.checkField("spec.certificateArn", annotations.CheckCertificate(arn))
	}
	for _, cidr := range spec.InboundCIDRs {
		d.checkField("spec.inboundCIDRs", cmp.Or(annotations.CheckCIDR(cidr), annotations.CheckHostBits(cidr)))
	}
	lists, field := classLists(spec)
	for _, id := range lists {
		d.checkField(field, annotations.CheckPrefixList(id))
	}
	for _, t := range spec.Tags {
		d.checkField("spec.tags", annotations.CheckTag(t.Key, t.Value))
	}
	if spec.SSLPolicy != "" {
		d.checkField("spec.sslPolicy", annotations.CheckPolicy(spec.SSLPolicy))
	}
	for _, a := range spec.LoadBalancerAttributes {
		d.checkField("spec.loadBalancerAttributes", checkAttribute(a))
	}
	for _, l := range spec.Listeners {
		d.checkField("spec.listeners", checkClassListener(l))
	}
}

// checkSubnets finds a choice that chooses nothing, or something twice.
func (d *draft) checkSubnets(s *elbv2v1beta1.SubnetSelector) {
	switch {
	case s == nil:
		return
	case len(s.IDs) > 0 && len(s.Tags) > 0:
		d.checkField("spec.subnets", errSubnets)
	case len(s.IDs)+len(s.Tags) == 0:
		d.checkField("spec.subnets", errNoSubnets)
	}
	for i, id := range s.IDs {
		if slices.Contains(s.IDs[:i], id) {
			d.checkField("spec.subnets.ids", fmt.Errorf("names %s twice: write it once", id))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		if len(s.Tags[key]) == 0 {
			d.checkField("spec.subnets.tags", fmt.Errorf("%s has no values, so that no subnet has it: write those that it may have", key))
		}
	}
}

func checkAttribute(a elbv2v1beta1.Attribute) error {
	if strings.TrimSpace(a.Key) == "" {
		return errAttribute
	}
	return nil
}

func checkClassListener(l elbv2v1beta1.Listener) error {
	if l.Protocol != protocolHTTP && l.Protocol != protocolHTTPS || l.Port < 1 || l.Port > maxPort {
		return fmt.Errorf("%s-%d is no listener: write protocol HTTP or HTTPS, and a port from 1 to %d", l.Protocol, l.Port, maxPort)
	}
	for _, a := range l.ListenerAttributes {
		if err := checkAttribute(a); err != nil {
			return err
		}
	}
	return nil
}

var (
	errSubnets   = errors.New("has both ids and tags: write one of the two")
	errNoSubnets = errors.New("names no subnet: write ids or tags, or leave subnets out to have them discovered")
	errAttribute = errors.New("has an attribute without a key: write the name of the attribute")
	errCapacity  = errors.New("is below 0: write how many capacity units to reserve, 0 to give all back")
)

// classLists are the class's prefix lists, in either spelling, with their field.
func classLists(spec elbv2v1beta1.IngressClassParamsSpec) (ids []string, field string) {
	if len(spec.PrefixListsIDs) > 0 {
		return spec.PrefixListsIDs, "spec.prefixListsIDs"
	}
	return spec.PrefixListsIDsLegacy, "spec.PrefixListsIDs"
}

// checkField tells the class's owner of a mistake, and holds the member at its last good state.
func (d *draft) checkField(field string, mistake error) {
	if mistake == nil {
		return
	}
	d.notes.add(*paramsFinding(d.params(), field, mistake.Error()))
	d.wrong(ReasonParams, d.classField(field), mistake.Error())
}

// paramsFinding tells the class's owner of a mistake.
func paramsFinding(p *elbv2v1beta1.IngressClassParams, field, message string) *model.Finding {
	return &model.Finding{Object: paramsRef(p), Severity: model.Wrong, Reason: ReasonParams, Field: field, Message: message}
}
