package lattice

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// policy is an auth policy.
type policy struct {
	text             string
	created, updated time.Time
}

const (
	logKind       = "ACCESS_LOG_SUBSCRIPTION"
	longestPolicy = 10000
)

func (m *Mesh) policyOperations() []wire.Operation {
	const logs, tags, access, share = " /accesslogsubscriptions", " /tags/{ResourceArn}", " /authpolicy/{ResourceIdentifier}", " /resourcepolicy/{ResourceArn}"
	const one = logs + "/{AccessLogSubscriptionIdentifier}"
	return []wire.Operation{
		writes(m, "CreateAccessLogSubscription", m.createLog).At("POST"+logs, wire.Status(http.StatusCreated)),
		reads(m, "GetAccessLogSubscription", m.getLog).At("GET" + one), writes(m, "UpdateAccessLogSubscription", m.updateLog).At("PATCH" + one),
		writes(m, "DeleteAccessLogSubscription", m.deleteLog).At("DELETE"+one, wire.Status(http.StatusNoContent)),
		reads(m, "ListAccessLogSubscriptions", m.listLogs).At("GET" + logs),
		writes(m, "PutAuthPolicy", m.putAccess).At("PUT" + access), reads(m, "GetAuthPolicy", m.getAccess).At("GET" + access),
		writes(m, "DeleteAuthPolicy", m.deleteAccess).At("DELETE"+access, wire.Status(http.StatusNoContent)),
		writes(m, "PutResourcePolicy", m.putShare).At("PUT" + share), reads(m, "GetResourcePolicy", m.getShare).At("GET" + share),
		writes(m, "DeleteResourcePolicy", m.deleteShare).At("DELETE"+share, wire.Status(http.StatusNoContent)),
		writes(m, "TagResource", m.tagResource).At("POST" + tags), reads(m, "ListTagsForResource", m.listTags).At("GET" + tags),
		writes(m, "UntagResource", m.untagResource).At("DELETE" + tags + "?tagKeys={TagKeys}"),
	}
}

// subject is a service or service network as policies and logs know it.
type subject struct {
	id, arn string
	auth    types.AuthType
	network bool
}

func (m *Mesh) subject(identifier *string) (subject, error) {
	if checkIdentifier(networkKind, identifier) == nil {
		n, err := find(&m.networks, networkKind, identifier)
		if err != nil {
			return subject{}, err
		}
		return subject{n.id, n.arn, n.auth, true}, nil
	}
	s, err := find(&m.services, serviceKind, identifier)
	if err != nil {
		return subject{}, err
	}
	return subject{s.id, s.arn, s.auth, false}, nil
}

// destination gives the kind of a log's destination; "" for what is none.
func destination(arn string) string {
	for _, kind := range []string{":s3:::", ":log-group:", ":deliverystream/"} {
		if strings.HasPrefix(arn, "arn:") && strings.Contains(arn, kind) {
			return kind
		}
	}
	return ""
}

func (m *Mesh) createLog(in *sdk.CreateAccessLogSubscriptionInput) (*sdk.CreateAccessLogSubscriptionOutput, error) {
	before, input, err := m.repeated(logKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	l, ok := m.logs.Get(before)
	if !ok {
		if l, err = m.buildLog(in); err != nil {
			return nil, err
		}
		m.keep(logKind, in.ClientToken, made{input, *l.Id})
	}
	return &sdk.CreateAccessLogSubscriptionOutput{
		Arn: l.Arn, DestinationArn: l.DestinationArn, Id: l.Id, ResourceArn: l.ResourceArn, ResourceId: l.ResourceId,
		ServiceNetworkLogType: l.ServiceNetworkLogType,
	}, nil
}

func (m *Mesh) buildLog(in *sdk.CreateAccessLogSubscriptionInput) (*types.AccessLogSubscriptionSummary, error) {
	of, err := m.subject(in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	kind := in.ServiceNetworkLogType
	if of.network && kind == "" {
		kind = types.ServiceNetworkLogTypeService
	}
	if !of.network && kind != "" {
		return nil, invalid("serviceNetworkLogType", "Only a service network has a log type")
	}
	l := &types.AccessLogSubscriptionSummary{
		CreatedAt: aws.Time(m.account.Now()), LastUpdatedAt: aws.Time(m.account.Now()), DestinationArn: in.DestinationArn, ResourceArn: &of.arn,
		ResourceId: &of.id, ServiceNetworkLogType: kind,
	}
	if err := m.checkLog(l); err != nil {
		return nil, err
	}
	l.Id = aws.String(m.id("als"))
	l.Arn = aws.String(m.account.ARN("vpc-lattice", "accesslogsubscription/"+*l.Id))
	m.logs.Put(*l.Id, l)
	m.Tags.Put(*l.Arn, tags)
	return l, nil
}

// checkLog checks a destination: one of each kind for a resource.
func (m *Mesh) checkLog(l *types.AccessLogSubscriptionSummary) error {
	kind := destination(aws.ToString(l.DestinationArn))
	if kind == "" {
		return invalid("destinationArn", "The destination '%s' is no bucket, log group or delivery stream", aws.ToString(l.DestinationArn))
	}
	for id, other := range m.logs.All() {
		if id != aws.ToString(l.Id) && *other.ResourceArn == *l.ResourceArn && other.ServiceNetworkLogType == l.ServiceNetworkLogType &&
			destination(*other.DestinationArn) == kind {
			return conflict(logKind, id, "Resource %s has an access log subscription for this type of destination already", *l.ResourceId)
		}
	}
	return nil
}

func (m *Mesh) findLog(identifier *string) (*types.AccessLogSubscriptionSummary, error) {
	if err := checkIdentifier(logKind, identifier); err != nil {
		return nil, err
	}
	l, ok := m.logs.Get(plain(identifier))
	if !ok {
		return nil, absent(logKind, aws.ToString(identifier))
	}
	return l, nil
}

func (m *Mesh) getLog(in *sdk.GetAccessLogSubscriptionInput) (*sdk.GetAccessLogSubscriptionOutput, error) {
	l, err := m.findLog(in.AccessLogSubscriptionIdentifier)
	if err != nil {
		return nil, err
	}
	return &sdk.GetAccessLogSubscriptionOutput{
		Arn: l.Arn, CreatedAt: l.CreatedAt, DestinationArn: l.DestinationArn, Id: l.Id, LastUpdatedAt: l.LastUpdatedAt, ResourceArn: l.ResourceArn,
		ResourceId: l.ResourceId, ServiceNetworkLogType: l.ServiceNetworkLogType,
	}, nil
}

func (m *Mesh) updateLog(in *sdk.UpdateAccessLogSubscriptionInput) (*sdk.UpdateAccessLogSubscriptionOutput, error) {
	l, err := m.findLog(in.AccessLogSubscriptionIdentifier)
	if err != nil {
		return nil, err
	}
	next := *l
	next.DestinationArn, next.LastUpdatedAt = in.DestinationArn, aws.Time(m.account.Now())
	if err := m.checkLog(&next); err != nil {
		return nil, err
	}
	m.logs.Put(*l.Id, &next)
	return &sdk.UpdateAccessLogSubscriptionOutput{
		Arn: next.Arn, DestinationArn: next.DestinationArn, Id: next.Id, ResourceArn: next.ResourceArn, ResourceId: next.ResourceId,
	}, nil
}

func (m *Mesh) deleteLog(in *sdk.DeleteAccessLogSubscriptionInput) (*sdk.DeleteAccessLogSubscriptionOutput, error) {
	l, err := m.findLog(in.AccessLogSubscriptionIdentifier)
	if err != nil {
		return nil, err
	}
	m.logs.Delete(*l.Id)
	m.Tags.Drop(*l.Arn)
	return &sdk.DeleteAccessLogSubscriptionOutput{}, nil
}

func (m *Mesh) listLogs(in *sdk.ListAccessLogSubscriptionsInput) (*sdk.ListAccessLogSubscriptionsOutput, error) {
	of, err := m.subject(in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(m.logs.Values(), func(l *types.AccessLogSubscriptionSummary) bool { return *l.ResourceArn != of.arn })
	items, next, err := cut(all, in.MaxResults, in.NextToken, func(l *types.AccessLogSubscriptionSummary) types.AccessLogSubscriptionSummary { return *l })
	return &sdk.ListAccessLogSubscriptionsOutput{Items: items, NextToken: next}, err
}

func checkPolicy(text *string) error {
	body := aws.ToString(text)
	var document map[string]any
	if len(body) > longestPolicy || strings.ContainsAny(body, "\r\n") || json.Unmarshal([]byte(body), &document) != nil || document["Statement"] == nil {
		return invalid("policy", "A policy is JSON with statements, without newlines, and has up to %d characters", longestPolicy)
	}
	return nil
}

func applied(s subject) types.AuthPolicyState {
	if s.auth == types.AuthTypeAwsIam {
		return types.AuthPolicyStateActive
	}
	return types.AuthPolicyStateInactive
}

func (m *Mesh) putAccess(in *sdk.PutAuthPolicyInput) (*sdk.PutAuthPolicyOutput, error) {
	of, err := m.subject(in.ResourceIdentifier)
	if err == nil {
		err = checkPolicy(in.Policy)
	}
	if err != nil {
		return nil, err
	}
	p, ok := m.access[of.arn]
	p.text, p.updated = *in.Policy, m.account.Now()
	if !ok {
		p.created = p.updated
	}
	m.access[of.arn] = p
	return &sdk.PutAuthPolicyOutput{Policy: in.Policy, State: applied(of)}, nil
}

func (m *Mesh) getAccess(in *sdk.GetAuthPolicyInput) (*sdk.GetAuthPolicyOutput, error) {
	of, err := m.subject(in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	p, ok := m.access[of.arn]
	if !ok {
		return nil, absent("AUTH_POLICY", of.id)
	}
	return &sdk.GetAuthPolicyOutput{CreatedAt: &p.created, LastUpdatedAt: &p.updated, Policy: &p.text, State: applied(of)}, nil
}

func (m *Mesh) deleteAccess(in *sdk.DeleteAuthPolicyInput) (*sdk.DeleteAuthPolicyOutput, error) {
	of, err := m.subject(in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	if _, ok := m.access[of.arn]; !ok {
		return nil, absent("AUTH_POLICY", of.id)
	}
	delete(m.access, of.arn)
	return &sdk.DeleteAuthPolicyOutput{}, nil
}

// checkARN checks the form of what is known by its ARN only.
func checkARN(arn *string) error {
	if text := aws.ToString(arn); !strings.HasPrefix(text, "arn:") || !strings.Contains(text, ":vpc-lattice:") {
		return invalid("resourceArn", "'%s' is no ARN of VPC Lattice", text)
	}
	return nil
}

func (m *Mesh) putShare(in *sdk.PutResourcePolicyInput) (*sdk.PutResourcePolicyOutput, error) {
	err := checkARN(in.ResourceArn)
	var of subject
	if err == nil {
		of, err = m.subject(in.ResourceArn)
	}
	if err == nil {
		err = checkPolicy(in.Policy)
	}
	if err != nil {
		return nil, err
	}
	m.shares[of.arn] = *in.Policy
	return &sdk.PutResourcePolicyOutput{}, nil
}

func (m *Mesh) getShare(in *sdk.GetResourcePolicyInput) (*sdk.GetResourcePolicyOutput, error) {
	if err := checkARN(in.ResourceArn); err != nil {
		return nil, err
	}
	text, ok := m.shares[aws.ToString(in.ResourceArn)]
	if !ok {
		return nil, absent("RESOURCE_POLICY", aws.ToString(in.ResourceArn))
	}
	return &sdk.GetResourcePolicyOutput{Policy: &text}, nil
}

func (m *Mesh) deleteShare(in *sdk.DeleteResourcePolicyInput) (*sdk.DeleteResourcePolicyOutput, error) {
	if err := checkARN(in.ResourceArn); err != nil {
		return nil, err
	}
	if _, ok := m.shares[aws.ToString(in.ResourceArn)]; !ok {
		return nil, absent("RESOURCE_POLICY", aws.ToString(in.ResourceArn))
	}
	delete(m.shares, *in.ResourceArn)
	return &sdk.DeleteResourcePolicyOutput{}, nil
}

func (m *Mesh) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	err := checkARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	fresh, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	there, err := m.Tags.Tag(aws.ToString(in.ResourceArn), fresh)
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceArn, err)
	}
	if !there {
		return nil, absent("RESOURCE", aws.ToString(in.ResourceArn))
	}
	return &sdk.TagResourceOutput{}, nil
}

func (m *Mesh) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if err := checkARN(in.ResourceArn); err != nil {
		return nil, err
	}
	if !m.Tags.Untag(aws.ToString(in.ResourceArn), in.TagKeys) {
		return nil, absent("RESOURCE", aws.ToString(in.ResourceArn))
	}
	return &sdk.UntagResourceOutput{}, nil
}

func (m *Mesh) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if err := checkARN(in.ResourceArn); err != nil {
		return nil, err
	}
	arn := aws.ToString(in.ResourceArn)
	if !m.Tags.Has(arn) {
		return nil, absent("RESOURCE", arn)
	}
	return &sdk.ListTagsForResourceOutput{Tags: m.Tags.Of(arn)}, nil
}
