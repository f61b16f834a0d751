package build

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// AWS compares values of headers, and keys and values of query parameters, without regard to case (ELBv2 API, HttpHeaderConditionConfig and
// QueryStringConditionConfig), where the Gateway API has them differ by case. It matters where two matches differ by nothing else.

// withoutCase is a rule's match without regard to case where AWS looks at none; empty where it looks at it everywhere.
func withoutCase(r model.Rule) string {
	out, caseless := slices.Clone(r.Conditions), false
	for i, c := range out {
		switch c.Field {
		case model.FieldHeader:
			caseless = true
			out[i].Header, out[i].Values = strings.ToLower(c.Header), lowered(c.Values)
		case model.FieldQuery:
			caseless = true
			out[i].Query = slices.Clone(c.Query)
			for k, pair := range c.Query {
				out[i].Query[k] = model.QueryPair{Key: strings.ToLower(pair.Key), Value: strings.ToLower(pair.Value)}
			}
		}
	}
	if !caseless {
		return ""
	}
	return model.ContentOf(model.Rule{Conditions: out}).Conditions
}

func lowered(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(v)
	}
	return out
}

// tellCase tells the owner of a rule that one above it takes all of its requests, for the two differ by case alone.
func (b *builder) tellCase(d draft, r portRule) {
	if r.caseless == "" {
		return
	}
	above, known := r.port.caseless[r.caseless]
	if !known {
		r.port.caseless[r.caseless] = answered{at: d.place(), content: r.content}
		return
	}
	if above.content.Conditions == r.content.Conditions || above.content.Answer == r.content.Answer {
		return
	}
	b.findings[model.Finding{
		Object: d.place().object, Severity: model.Warning, Reason: "CaseIgnored", Field: d.place().field, Port: r.port.number,
		Message: fmt.Sprintf("it differs from %s of %s by the case of a value only, which AWS does not look at in headers and query parameters: on port %d "+
			"that one takes its requests; have the two differ by more than case", above.at.field, above.at.object, r.port.number),
	}] = true
}

// answered is a rule that stands above others.
type answered struct {
	at      place
	content model.Content
}
