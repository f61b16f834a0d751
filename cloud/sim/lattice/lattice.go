// Package lattice simulates the API of VPC Lattice: service networks, services with listeners and rules, target groups with targets, and the
// associations between them; it says what traffic the packages fabric and dataplane are to carry. It may import the SDK's shapes, those two
// and the simulator's wire, account, table and listing packages. Its invariant: what is in use is not deleted, a target group serves one
// service at most, and two rules of a listener never have one priority.
package lattice

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Resources knows what is to be connected.
type Resources interface {
	// VPC reports whether there is a VPC.
	VPC(id string) bool
	// GroupVPC gives the VPC of a security group.
	GroupVPC(id string) (vpc string, ok bool)
	// Balancer gives the state of a load balancer.
	Balancer(arn string) (state string, ok bool)
	// Runs reports whether an instance runs.
	Runs(instance string) bool
}

// Pool lends loopback addresses.
type Pool interface {
	// Lend gives an address that nobody has.
	Lend() netip.Addr
	// Return takes one back.
	Return(address netip.Addr)
}

// Places knows where targets are that are no addresses, and what services serve TLS with.
type Places interface {
	// InstanceAddress gives the private address of an instance.
	InstanceAddress(id string) (netip.Addr, bool)
	// BalancerAddress gives the loopback address of a load balancer.
	BalancerAddress(arn string) (netip.Addr, bool)
	// TLS gives a certificate with its key, if it is issued.
	TLS(arn string) (*tls.Certificate, bool)
}

// Options are what else there is around an account's VPC Lattice.
type Options struct {
	Pool   Pool
	Places Places
	// Health gives what the data plane knows of the targets of a group, by its ARN; nothing for a group that it does not know. Nil without one.
	Health func(arn string) []dataplane.TargetHealth
	// Failure gives the failure in which ends what the present call begins. Nil: nothing ever fails.
	Failure func() *Failure
}

// Mesh holds what the account has of VPC Lattice.
type Mesh struct {
	// Tags are those of all resources.
	Tags *listing.Tags

	account   *account.Account
	resources Resources
	options   Options
	networks  table.Table[*network]
	services  table.Table[*service]
	groups    table.Table[*group]
	// links are associations of services, joins those of VPCs.
	links table.Table[*link]
	joins table.Table[*join]
	logs  table.Table[*types.AccessLogSubscriptionSummary]
	// access and shares are the auth policies and resource policies, by ARN.
	access map[string]policy
	shares map[string]string
	tokens map[string]made
	// managed are the certificates for the names that AWS gives.
	managed managed
}

// made is what a client token made, and of which input.
type made struct{ input, id string }

// New makes an account without anything.
func New(a *account.Account, r Resources, o Options) *Mesh {
	const code = "ValidationException"
	return &Mesh{
		Tags: listing.NewTags(listing.Codes{Invalid: code, TooMany: code}), account: a, resources: r, options: o,
		access: map[string]policy{},
		shares: map[string]string{}, tokens: map[string]made{}, managed: managed{},
	}
}

// Service gives the VPC Lattice API.
func (m *Mesh) Service() wire.Service {
	return wire.Service{
		Name: "vpc-lattice", Protocol: wire.RESTJSON{
			Invalid: "ValidationException", ISOTimes: true, Unions: wire.NewUnions(
				types.RuleActionMemberForward{}, types.RuleActionMemberFixedResponse{}, types.RuleMatchMemberHttpMatch{}, types.PathMatchTypeMemberPrefix{},
				types.PathMatchTypeMemberExact{}, types.HeaderMatchTypeMemberContains{}, types.HeaderMatchTypeMemberExact{},
				types.HeaderMatchTypeMemberPrefix{}, types.MatcherMemberHttpCode{},
			),
		},
		Operations: wire.Table(slices.Concat(m.networkOperations(), m.serviceOperations(), m.listenerOperations(), m.ruleOperations(), m.groupOperations(),
			m.linkOperations(), m.joinOperations(), m.policyOperations())...),
	}
}

// reads and writes declare operations that see the state as it is now.
func reads[In, Out any](m *Mesh, name string, run func(*In) (*Out, error)) wire.Operation {
	return wire.Reads(name, func(in *In) (*Out, error) { m.sweep(); return run(in) })
}

func writes[In, Out any](m *Mesh, name string, run func(*In) (*Out, error)) wire.Operation {
	return wire.Writes(name, func(in *In) (*Out, error) { m.sweep(); return run(in) })
}

// sweep takes away what was deleted long enough ago.
func (m *Mesh) sweep() {
	for _, l := range m.links.Values() {
		if m.gone(l.life) {
			m.links.Delete(l.id)
			m.Tags.Drop(l.arn)
		}
	}
	for _, j := range m.joins.Values() {
		if m.gone(j.life) {
			m.joins.Delete(j.id)
			m.Tags.Drop(j.arn)
			m.options.Pool.Return(j.entrance)
		}
	}
	for _, s := range m.services.Values() {
		if m.gone(s.life) {
			m.services.Delete(s.id)
			m.forget(s.arn)
		}
	}
	for _, g := range m.groups.Values() {
		if m.gone(g.life) {
			m.groups.Delete(g.id)
			m.Tags.Drop(g.arn)
			continue
		}
		g.targets = slices.DeleteFunc(g.targets, func(t target) bool { return !t.drained.IsZero() && !m.account.Now().Before(t.drained) })
	}
}

// forget takes away what goes with a service or service network.
func (m *Mesh) forget(arn string) {
	m.Tags.Drop(arn)
	delete(m.access, arn)
	delete(m.shares, arn)
	for _, s := range m.logs.Values() {
		if *s.ResourceArn == arn {
			m.logs.Delete(*s.Id)
			m.Tags.Drop(*s.Arn)
		}
	}
}

// Dump gives everything that the service holds, in the shapes of the API.
func (m *Mesh) Dump() any {
	m.sweep()
	return map[string]any{
		"serviceNetworks": shown(m.networks.Values(), m.showNetwork), "services": shown(m.services.Values(), m.dumpService),
		"targetGroups": shown(m.groups.Values(), m.dumpGroup), "serviceAssociations": shown(m.links.Values(), m.showLink),
		"vpcAssociations": shown(m.joins.Values(), m.showJoin), "accessLogSubscriptions": m.logs.Values(),
	}
}

func shown[T, Out any](all []T, show func(T) Out) []Out {
	out := make([]Out, 0, len(all))
	for _, one := range all {
		out = append(out, show(one))
	}
	return out
}

// invalid is the error for a field of the input.
func invalid(field, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &wire.Error{Code: "ValidationException", Message: message, Status: http.StatusBadRequest, Details: map[string]any{
		"reason": "fieldValidationFailed", "fieldList": []map[string]string{{"name": field, "message": message}},
	}}
}

func absent(kind, id string) error {
	return &wire.Error{
		Code: "ResourceNotFoundException", Message: kind + " " + id + " not found", Status: http.StatusNotFound,
		Details: map[string]any{"resourceId": id, "resourceType": kind},
	}
}

func conflict(kind, id, format string, args ...any) error {
	return &wire.Error{
		Code: "ConflictException", Message: fmt.Sprintf(format, args...), Status: http.StatusConflict,
		Details: map[string]any{"resourceId": id, "resourceType": kind},
	}
}

func exceeded(kind string, most int) error {
	return &wire.Error{
		Code: "ServiceQuotaExceededException", Message: fmt.Sprintf("The quota of %d for %s is exceeded", most, kind), Status: http.StatusPaymentRequired,
		Details: map[string]any{"resourceType": kind, "serviceCode": "vpc-lattice"},
	}
}

// plain gives the identifier of an identifier or ARN.
func plain(text *string) string {
	whole := aws.ToString(text)
	return whole[strings.LastIndex(whole, "/")+1:]
}

// prefixes are how the identifiers of each kind begin.
func prefixes(kind string) string {
	return map[string]string{
		serviceKind: "svc", networkKind: "sn", groupKind: "tg", listenerKind: "listener", ruleKind: "rule", linkKind: "snsa", joinKind: "snva", logKind: "als",
	}[kind]
}

var identifierForm = regexp.MustCompile(`^[0-9a-z]{17}$`)

// checkIdentifier checks the form of an identifier or ARN.
func checkIdentifier(kind string, identifier *string) error {
	text := aws.ToString(identifier)
	digits, ok := strings.CutPrefix(plain(identifier), prefixes(kind)+"-")
	if !ok || !identifierForm.MatchString(digits) || plain(identifier) != text && checkARN(identifier) != nil {
		return invalid("identifier", "'%s' is no identifier or ARN of a %s", text, kind)
	}
	return nil
}

// find gives a resource by its identifier or its whole ARN.
func find[T interface{ name() string }](all *table.Table[T], kind string, identifier *string) (T, error) {
	var none T
	if err := checkIdentifier(kind, identifier); err != nil {
		return none, err
	}
	found, ok := all.Get(plain(identifier))
	if !ok || strings.HasPrefix(*identifier, "arn:") && found.name() != *identifier {
		return none, absent(kind, aws.ToString(identifier))
	}
	return found, nil
}

// nameForm is the form of names: no hyphen first, last, or after another one.
var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkName checks a name, which has no prefix of identifiers.
func checkName(name *string, longest int, prefixes ...string) error {
	const shortest = 3
	text := aws.ToString(name)
	if len(text) < shortest || len(text) > longest || !nameForm.MatchString(text) {
		return invalid("name", "The name '%s' must have %d to %d lower case letters, digits and single hyphens", text, shortest, longest)
	}
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return invalid("name", "The name '%s' must not begin with %s", text, p)
		}
	}
	return nil
}

// repeated gives what a client token made before. The same token with another input is refused.
func (m *Mesh) repeated(kind string, token *string, in any) (string, string, error) {
	const longest = 64
	if token == nil {
		return "", "", nil
	}
	if *token == "" || len(*token) > longest {
		return "", "", invalid("clientToken", "A client token has 1 to %d characters", longest)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return "", "", fmt.Errorf("reading an input: %w", err)
	}
	before, ok := m.tokens[kind+" "+*token]
	if ok && before.input != string(body) {
		return "", "", conflict(kind, before.id, "The client token was used with other parameters")
	}
	return before.id, string(body), nil
}

func (m *Mesh) keep(kind string, token *string, m2 made) {
	if token != nil {
		m.tokens[kind+" "+*token] = m2
	}
}

// tagged checks the tags of a creation.
func (m *Mesh) tagged(tags map[string]string) (map[string]string, error) {
	type pair struct{ key, value string }
	var all []pair
	for k, v := range tags {
		all = append(all, pair{k, v})
	}
	read, err := listing.Read(m.Tags, all, func(p pair) (*string, *string) { return &p.key, &p.value })
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	return read, nil
}

// id makes an identifier with a prefix, as in svc.
func (m *Mesh) id(prefix string) string {
	const digits = 17
	return prefix + "-" + m.account.Hex(digits)
}

// cut gives a page of a list.
func cut[T, Out any](all []T, size *int32, token *string, show func(T) Out) ([]Out, *string, error) {
	const most = 100
	number := int32(most)
	if size != nil {
		number = *size
	}
	if number < 1 || number > most {
		return nil, nil, invalid("maxResults", "maxResults must be between 1 and %d", most)
	}
	page, next, ok := listing.Page(all, int(number), aws.ToString(token))
	if !ok {
		return nil, nil, invalid("nextToken", "The next token is not valid")
	}
	if next == "" {
		return shown(page, show), nil, nil
	}
	return shown(page, show), &next, nil
}
