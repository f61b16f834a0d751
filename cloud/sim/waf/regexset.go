package waf

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (f *Firewall) patternOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateRegexPatternSet", f.createPatterns), wire.Reads("GetRegexPatternSet", f.getPatterns),
		wire.Writes("UpdateRegexPatternSet", f.updatePatterns), wire.Writes("DeleteRegexPatternSet", f.deletePatterns),
		wire.Reads("ListRegexPatternSets", f.listPatterns),
	}
}

type patternSet struct {
	entity
	shape waftypes.RegexPatternSet
}

// Quotas of pattern sets, and what it costs to match one (WAF developer guide, "AWS WAF quotas" and "Regex pattern set match rule statement").
const (
	maxPatterns    = 10
	maxPattern     = 512
	maxPatternSets = 10
	patternsCost   = 25
)

func checkPatterns(all []waftypes.Regex) error {
	if all == nil {
		return invalid("A list of regular expressions must be given., field: REGEX_PATTERN_SET")
	}
	if len(all) > maxPatterns {
		return limited("%d regular expressions in a pattern set", maxPatterns)
	}
	seen := map[string]bool{}
	for _, one := range all {
		text := aws.ToString(one.RegexString)
		if text == "" || len(text) > maxPattern || seen[text] {
			return invalid("The regular expression '%s' is empty, there twice or longer than %d characters., field: REGEX_PATTERN_SET", text, maxPattern)
		}
		seen[text] = true
	}
	return nil
}

func (f *Firewall) createPatterns(in *sdk.CreateRegexPatternSetInput) (*sdk.CreateRegexPatternSetOutput, error) {
	e, tags, err := f.begin(draft{"regexpatternset", in.Scope, in.Name, in.Description, in.Tags})
	if err != nil {
		return nil, err
	}
	if err := checkPatterns(in.RegularExpressionList); err != nil {
		return nil, err
	}
	if err := roomFor(&f.patterns, e); err != nil {
		return nil, err
	}
	if f.patterns.Len() >= maxPatternSets {
		return nil, limited("%d pattern sets in a Region", maxPatternSets)
	}
	s := &patternSet{entity: e, shape: waftypes.RegexPatternSet{
		ARN: aws.String(e.arn), Id: aws.String(e.id), Name: aws.String(e.name), Description: in.Description, RegularExpressionList: in.RegularExpressionList,
	}}
	f.patterns.Put(s.arn, s)
	f.Tags.Put(s.arn, tags)
	return &sdk.CreateRegexPatternSetOutput{Summary: s.summary()}, nil
}

func (s *patternSet) summary() *waftypes.RegexPatternSetSummary {
	return &waftypes.RegexPatternSetSummary{
		ARN: s.shape.ARN, Id: s.shape.Id, Name: s.shape.Name, Description: description(s.shape.Description), LockToken: aws.String(s.lock),
	}
}

func (f *Firewall) getPatterns(in *sdk.GetRegexPatternSetInput) (*sdk.GetRegexPatternSetOutput, error) {
	s, err := find(f, &f.patterns, address{nil, in.Name, in.Id, in.Scope})
	if err != nil {
		return nil, err
	}
	return &sdk.GetRegexPatternSetOutput{RegexPatternSet: &s.shape, LockToken: aws.String(s.lock)}, nil
}

func (f *Firewall) updatePatterns(in *sdk.UpdateRegexPatternSetInput) (*sdk.UpdateRegexPatternSetOutput, error) {
	s, err := change(f, &f.patterns, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := checkPatterns(in.RegularExpressionList); err != nil {
		return nil, err
	}
	s.shape.RegularExpressionList, s.shape.Description, s.lock = in.RegularExpressionList, in.Description, f.account.UUID()
	return &sdk.UpdateRegexPatternSetOutput{NextLockToken: aws.String(s.lock)}, nil
}

func (f *Firewall) deletePatterns(in *sdk.DeleteRegexPatternSetInput) (*sdk.DeleteRegexPatternSetOutput, error) {
	s, err := change(f, &f.patterns, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if f.named(s.arn) {
		return nil, associated()
	}
	f.patterns.Delete(s.arn)
	f.Tags.Drop(s.arn)
	return &sdk.DeleteRegexPatternSetOutput{}, nil
}

func (f *Firewall) listPatterns(in *sdk.ListRegexPatternSetsInput) (*sdk.ListRegexPatternSetsOutput, error) {
	page, next, err := list(f, &f.patterns, in.Scope, in.Limit, in.NextMarker)
	out := &sdk.ListRegexPatternSetsOutput{NextMarker: next, RegexPatternSets: []waftypes.RegexPatternSetSummary{}}
	for _, s := range page {
		out.RegexPatternSets = append(out.RegexPatternSets, *s.summary())
	}
	return out, err
}

// patternReference checks a statement that names a pattern set.
func (c ruleCheck) patternReference(s *waftypes.RegexPatternSetReferenceStatement) (int64, error) {
	set, ok := c.firewall.patterns.Get(aws.ToString(s.ARN))
	if !ok || set.scope != c.scope {
		return 0, nonexistent()
	}
	return field(s.FieldToMatch, patternsCost, s.TextTransformations)
}
