package build

import (
	"fmt"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const frontGateway = "gateway"

// portOf is the port that a target group is made with: of the pods, or of the nodes.
func portOf(s *intent.Service, shape groupShape) int {
	if shape.targetType == targetNode {
		return s.NodePort
	}
	return s.TargetPort
}

// targetsProblem says which settings of a target group do not go with its targets, and in which field.
func targetsProblem(s *intent.Service, shape groupShape) (field, problem string) {
	g := s.Group
	switch {
	case g.Nodes == intent.InvalidSelector:
		return "nodes", "the selector cannot be read: use operators In, NotIn, Exists and DoesNotExist, and keys and values that labels may have"
	case g.ControlPort == 0:
		return "", ""
	case g.ControlPort < 1 || g.ControlPort > 65535:
		return "controlPort", fmt.Sprintf("%d is no port: use 1 to 65535", g.ControlPort)
	case shape.targetType != targetIP:
		return "controlPort", fmt.Sprintf("a target control port needs targets of the type ip, and these are of the type %s: set the target type to ip",
			shape.targetType)
	}
	return "", ""
}

// nodes selects the nodes that are targets. It has no effect on pods.
func (b *builder) nodes(at place, s *intent.Service, shape groupShape) string {
	if shape.targetType == targetNode || s.Group.Nodes == "" {
		return s.Group.Nodes
	}
	b.report(groupPlace(at, s, "nodes"), model.Warning, "NoEffect", fmt.Sprintf(
		"labels of nodes choose targets of the type instance, and those of Service %s/%s are of the type %s: leave one of the two out",
		s.Namespace, s.Name, shape.targetType))
	return ""
}

// noNodePort tells that nodes cannot be the targets of a Service without a node port. There is nothing to forward to.
func (b *builder) noNodePort(at place, s *intent.Service) {
	where := groupPlace(at, s, "targetType")
	if b.in.Front == frontGateway && s.Group.Fields["targetType"] == "" {
		where = at // routes have no such field
	}
	b.report(where, model.Answered, model.ReasonNoNodePort, fmt.Sprintf(
		"Service %s/%s has no node port for targets of the type instance, so requests for it are answered with 503. Make it a Service of the type NodePort; "+
			"or have its pods as targets: %s, or run the operator with --default-target-type=ip", s.Namespace, s.Name, b.howToTargetPods(s)))
}

// howToTargetPods names the field of the front door that asks for pods as targets.
func (b *builder) howToTargetPods(s *intent.Service) string {
	if b.in.Front == frontGateway {
		return "set spec.defaultConfiguration.targetType to ip in a TargetGroupConfiguration for Service " + s.Name
	}
	return "set the annotation alb.ingress.kubernetes.io/target-type to ip on the Ingress or the Service"
}
