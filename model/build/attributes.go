package build

import (
	"fmt"
	"maps"
	"slices"

	"github.com/headgate/headgate/model/attribute"
	"github.com/headgate/headgate/model/intent"
)

// knownAttributes are those that a resource has, and those of others of its kind.
type knownAttributes struct{ mine, others []attribute.Attribute }

func balancerAttributes(kind string) knownAttributes {
	return knownAttributes{attribute.OfLoadBalancer(attribute.Balancer{Type: kind}), attribute.OfAnyLoadBalancer()}
}

func groupAttributes(shape groupShape) knownAttributes {
	return knownAttributes{
		attribute.OfTargetGroup(attribute.Group{Protocol: shape.protocol, TargetType: shape.targetType}), attribute.OfAnyTargetGroup(),
	}
}

// usableAttributes are the attributes that AWS may take. Of the others their owner is told. A key that nobody knows is among them: AWS adds
// keys, and where it refuses one, that is told to who wrote it.
func (b *builder) usableAttributes(at place, known knownAttributes, asked map[string]string) map[string]string {
	if len(asked) == 0 {
		return nil
	}
	out := maps.Clone(asked)
	for _, k := range slices.Sorted(maps.Keys(asked)) {
		if !b.takes(at, known, k, asked[k]) {
			delete(out, k)
		}
	}
	return out
}

// takes tells whether AWS may take a value of an attribute.
func (b *builder) takes(at place, known knownAttributes, key, value string) bool {
	problem := attribute.Problem(known.mine, known.others, key, value)
	if problem != "" {
		b.wrong(at, "InvalidAttribute", "the attribute %s=%s %s; correct it, or leave it out", key, shown(value), problem)
	}
	return problem == ""
}

// longestShown is how much of a value is repeated to its owner.
const longestShown = 100

func shown(value string) string {
	if len(value) > longestShown {
		return fmt.Sprintf("%q…", value[:longestShown])
	}
	return value
}

// mergeAttributes adds up the attributes of a load balancer of a type, and those that classes enforce.
func (b *builder) mergeAttributes(field, kind string, read keysReader) map[string]string {
	known := balancerAttributes(kind)
	return b.mergeKeys(b.fragments, field, func(b *builder, f *intent.Fragment) (own, enforced map[string]string) {
		own, enforced = read(b, f)
		return b.usableAttributes(settingPlace(f, field), known, own), b.usableAttributes(settingPlace(f, "enforcedAttributes"), known, enforced)
	})
}

// listenerAttributes settles the attributes of a port.
func (b *builder) listenerAttributes(one *port) {
	one.attributes = map[string]string{}
	for _, w := range one.wishes {
		for k := range w.listener.Attributes {
			one.attributes[k] = ""
		}
	}
	if len(one.attributes) == 0 {
		return
	}
	known := knownAttributes{
		attribute.OfListener(attribute.Listener{Type: balancerType, Protocol: one.protocol}), attribute.OfAnyListener(),
	}
	for _, k := range slices.Sorted(maps.Keys(one.attributes)) {
		value, asked := b.settle(one, setting{label: "the attribute " + k + "=", field: "attributes", read: func(b *builder, w wish) (string, bool) {
			v, ok := w.listener.Attributes[k]
			return v, ok && b.takes(w.written("attributes"), known, k, v)
		}})
		if one.attributes[k] = value; !asked {
			delete(one.attributes, k)
		}
	}
}

// written is where a setting of the listener was written, by its JSON name.
func (w wish) written(field string) place {
	if at := w.listener.Fields[field]; at != "" {
		return place{w.fragment.Member, at}
	}
	return w.place()
}

// balancerType is the type of the load balancers that rules are on.
const balancerType = "application"

func (b *builder) attributesOfGroup(at place, s *intent.Service, shape groupShape) (usable map[string]string, ok bool) {
	if len(s.Group.Attributes) == 0 {
		return maps.Clone(s.Group.Attributes), true
	}
	usable = b.usableAttributes(groupPlace(at, s, "attributes"), groupAttributes(shape), s.Group.Attributes)
	return usable, len(usable) == len(s.Group.Attributes)
}
