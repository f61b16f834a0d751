package plan

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
)

// attributesPerCall is how many attributes one call may carry (ELBv2 API, ModifyLoadBalancerAttributes).
const attributesPerCall = 20

// owned is what all kinds of resources share: who they are, and their tags and attributes on both sides.
type owned struct {
	key model.Key
	arn model.ARN
	// wantTags nil: tags are not compared.
	wantTags, haveTags map[string]string
	wantAttributes     map[string]string
	haveAttributes     map[string]string
	// defaults are AWS's, to reset to, asked for where something is to be reset.
	defaults func() map[string]string
	op       Op
	// maker is the change that creates the resource, 0 where it exists.
	maker int
	// after are other changes before those of the attributes.
	after []int
	port  int
}

// attributes plans the calls that set attributes: what is wanted and differs, and what we set before and nobody asks for now.
func (p *planner) attributes(o owned) []int {
	change := differing(o.wantAttributes, o.haveAttributes)
	if o.maker == 0 {
		if resets := o.resets(p.opts.Applied[o.key]); len(resets) > 0 {
			maps.Copy(resets, change) // of keys that nobody asks for
			change = resets
		}
	}
	if len(change) == 0 {
		return nil
	}
	var ids []int
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(change)), attributesPerCall) {
		part := map[string]string{}
		for _, key := range keys {
			part[key] = change[key]
		}
		var f fields
		f.settings("", o.haveAttributes, part)
		ids = append(ids, p.add(Change{
			Op: o.op, Action: Update, Key: o.key, ARN: o.arn, Port: o.port, Attributes: part, Fields: f, After: append([]int{o.maker}, o.after...),
		}))
	}
	return ids
}

// resets are the attributes that we set, that nobody asks for any more, and whose default is known.
func (o owned) resets(applied Applied) map[string]string {
	if len(applied.Attributes) == 0 || o.defaults == nil {
		return nil
	}
	out, defaults := map[string]string{}, o.defaults()
	for key := range applied.Attributes {
		_, wanted := o.wantAttributes[key]
		value, known := defaults[key]
		have, exists := o.haveAttributes[key]
		if key == protection {
			continue // it goes only where somebody writes that it is off
		}
		if !wanted && known && exists && have != value {
			out[key] = value
		}
	}
	return out
}

// tags plans the calls that add and remove tags of a resource that exists.
func (p *planner) tags(o owned) {
	if o.wantTags == nil {
		return
	}
	if add := differing(o.wantTags, o.haveTags); len(add) > 0 {
		var f fields
		f.settings("tag ", o.haveTags, add)
		p.add(Change{Op: AddTags, Action: Update, Key: o.key, ARN: o.arn, Port: o.port, Tags: add, Fields: f})
	}
	if len(p.opts.Applied[o.key].Tags) == 0 {
		return
	}
	var gone []string
	var f fields
	for _, key := range slices.Sorted(maps.Keys(p.opts.Applied[o.key].Tags)) {
		_, wanted := o.wantTags[key]
		if old, exists := o.haveTags[key]; exists && !wanted {
			gone = append(gone, key)
			f = append(f, Field{Name: "tag " + key, Old: old})
		}
	}
	if len(gone) > 0 {
		p.add(Change{Op: RemoveTags, Action: Update, Key: o.key, ARN: o.arn, Port: o.port, TagKeys: gone, Fields: f})
	}
}

// differing are the values of want that have lacks or has otherwise; nil for none.
func differing(want, have map[string]string) map[string]string {
	var out map[string]string
	for key, value := range want {
		if old, ok := have[key]; ok && old == value {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out
}
