package tagging

import (
	"maps"
	"slices"
	"time"
)

// Finder is a source that finds the tags of one resource without looking through all.
type Finder interface {
	// TagsOf gives the tags of a resource; nil if the source has no such resource or it has none.
	TagsOf(arn string) map[string]string
}

// held is what a resource still shows: the tags that it had, until a time. Nil tags hide it.
type held struct {
	until time.Time
	tags  map[string]string
}

// TagsOf gives the tags of a resource as they are now; nil if it has none.
func (i *Index) TagsOf(arn string) map[string]string {
	for _, s := range i.sources {
		f, ok := s.(Finder)
		if !ok {
			if tags := s.Tagged()[arn]; tags != nil {
				return tags
			}
			continue
		}
		if tags := f.TagsOf(arn); tags != nil {
			return maps.Clone(tags)
		}
	}
	return nil
}

// Hold lets GetResources show a resource with the given tags until a time, as AWS does for a while after a change. Nil tags hide it.
func (i *Index) Hold(arn string, tags map[string]string, until time.Time) {
	i.held[arn] = append(i.held[arn], held{until, tags})
}

// Release forgets what is held.
func (i *Index) Release() { i.held = map[string][]held{} }

// tagged gives all resources with the tags that they show at a time.
func (i *Index) tagged(now time.Time) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, s := range i.sources {
		maps.Copy(all, s.Tagged())
	}
	for arn, views := range i.held {
		views = slices.DeleteFunc(views, func(h held) bool { return !now.Before(h.until) })
		i.held[arn] = views
		switch {
		case len(views) == 0:
			delete(i.held, arn)
		case views[0].tags == nil:
			delete(all, arn)
		default:
			all[arn] = views[0].tags
		}
	}
	return all
}
