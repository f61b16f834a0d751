package lattice

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"net/http"

	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

type service struct {
	life

	id, arn, title      string
	auth                types.AuthType
	certificate, domain *string
	listeners           table.Table[*listener]
}

func (s *service) name() string { return s.arn }

const (
	serviceKind = "SERVICE"
	maxServices = 2000
)

func (m *Mesh) serviceOperations() []wire.Operation {
	const all, one = " /services", " /services/{ServiceIdentifier}"
	return []wire.Operation{
		writes(m, "CreateService", m.createService).At("POST"+all, wire.Status(http.StatusCreated)),
		reads(m, "GetService", m.getService).At("GET" + one), writes(m, "UpdateService", m.updateService).At("PATCH" + one),
		writes(m, "DeleteService", m.deleteService).At("DELETE" + one), reads(m, "ListServices", m.listServices).At("GET" + all),
	}
}

// address is the name that AWS gives a service.
func (m *Mesh) address(s *service) *types.DnsEntry {
	name := fmt.Sprintf("%s-%s.7d67968.vpc-lattice-svcs.%s.on.aws", s.title, strings.TrimPrefix(s.id, "svc-"), m.account.Region)
	return &types.DnsEntry{DomainName: &name, HostedZoneId: aws.String("Z00000SIMULATEDLATTICE")}
}

func (m *Mesh) state(s *service) types.ServiceStatus { return types.ServiceStatus(m.status(s.life)) }

func (m *Mesh) createService(in *sdk.CreateServiceInput) (*sdk.CreateServiceOutput, error) {
	before, input, err := m.repeated(serviceKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	s, ok := m.services.Get(before)
	if !ok {
		if s, err = m.buildService(in); err != nil {
			return nil, err
		}
		m.keep(serviceKind, in.ClientToken, made{input, s.id})
	}
	return &sdk.CreateServiceOutput{
		Arn: &s.arn, AuthType: s.auth, CertificateArn: s.certificate, CustomDomainName: s.domain, DnsEntry: m.address(s), Id: &s.id, Name: &s.title,
		Status: m.state(s),
	}, nil
}

func (m *Mesh) buildService(in *sdk.CreateServiceInput) (*service, error) {
	const longest = 40
	err := checkName(in.Name, longest, "svc-")
	if err == nil {
		err = m.checkDomain(in.CustomDomainName, in.CertificateArn)
	}
	if err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, other := range m.services.All() {
		if other.title == *in.Name {
			return nil, conflict(serviceKind, other.id, "A service with the name %s already exists", *in.Name)
		}
	}
	if m.services.Len() >= maxServices {
		return nil, exceeded(serviceKind, maxServices)
	}
	id := m.id("svc")
	s := &service{
		id: id, arn: m.account.ARN("vpc-lattice", "service/"+id), title: *in.Name, auth: authOr(in.AuthType), certificate: in.CertificateArn,
		domain: in.CustomDomainName,
	}
	m.begin(&s.life, creating)
	m.services.Put(id, s)
	m.Tags.Put(s.arn, tags)
	return s, nil
}

func (m *Mesh) checkDomain(domain, certificate *string) error {
	const shortest, longest = 3, 255
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-*"
	if domain != nil && (len(*domain) < shortest || len(*domain) > longest || strings.Trim(strings.ToLower(*domain), allowed) != "") {
		return invalid("customDomainName", "The custom domain name '%s' is not valid", *domain)
	}
	if certificate == nil || *certificate == "" {
		return nil
	}
	if !strings.HasPrefix(*certificate, "arn:") || !strings.Contains(*certificate, ":certificate/") {
		return invalid("certificateArn", "The certificate ARN '%s' is not valid", *certificate)
	}
	if _, there := m.options.Places.TLS(*certificate); !there {
		return absent("CERTIFICATE", *certificate)
	}
	return nil
}

func (m *Mesh) showService(s *service) types.ServiceSummary {
	return types.ServiceSummary{
		Arn: &s.arn, CreatedAt: &s.created, CustomDomainName: s.domain, DnsEntry: m.address(s), Id: &s.id, LastUpdatedAt: &s.updated, Name: &s.title,
		Status: m.state(s),
	}
}

// dumpService gives a service with its listeners and rules.
func (m *Mesh) dumpService(s *service) any {
	type listening struct {
		types.ListenerSummary
		DefaultAction types.RuleAction
		Rules         []types.RuleUpdateSuccess
	}
	all := []listening{}
	for _, l := range s.listeners.All() {
		all = append(all, listening{showListener(l), l.fallback.action, shown(l.sorted(), showRule)})
	}
	return struct {
		types.ServiceSummary
		AuthType  types.AuthType
		Listeners []listening
		Tags      map[string]string
	}{m.showService(s), s.auth, all, m.Tags.Of(s.arn)}
}

func (m *Mesh) getService(in *sdk.GetServiceInput) (*sdk.GetServiceOutput, error) {
	s, err := find(&m.services, serviceKind, in.ServiceIdentifier)
	if err != nil {
		return nil, err
	}
	code, message := m.failed(s.life)
	return &sdk.GetServiceOutput{
		FailureCode: code, FailureMessage: message,
		Arn: &s.arn, AuthType: s.auth, CertificateArn: s.certificate, CreatedAt: &s.created, CustomDomainName: s.domain, DnsEntry: m.address(s), Id: &s.id,
		LastUpdatedAt: &s.updated, Name: &s.title, Status: m.state(s),
	}, nil
}

// settled gives a service that can be changed.
func (m *Mesh) settled(identifier *string) (*service, error) {
	s, err := find(&m.services, serviceKind, identifier)
	if err != nil {
		return nil, err
	}
	if is := m.status(s.life); is == deleting || is == unmade {
		return nil, conflict(serviceKind, s.id, "Service %s is in the state %s", s.id, is)
	}
	return s, nil
}

func (m *Mesh) updateService(in *sdk.UpdateServiceInput) (*sdk.UpdateServiceOutput, error) {
	s, err := m.settled(in.ServiceIdentifier)
	if err == nil {
		err = m.checkDomain(nil, in.CertificateArn)
	}
	if err != nil {
		return nil, err
	}
	if in.CertificateArn != nil && s.domain == nil {
		return nil, invalid("certificateArn", "A certificate needs a custom domain name")
	}
	if in.AuthType != "" {
		s.auth = in.AuthType
	}
	if in.CertificateArn != nil {
		s.certificate = in.CertificateArn
	}
	s.updated = m.account.Now()
	return &sdk.UpdateServiceOutput{
		Arn: &s.arn, AuthType: s.auth, CertificateArn: s.certificate, CustomDomainName: s.domain, Id: &s.id, Name: &s.title,
	}, nil
}

func (m *Mesh) deleteService(in *sdk.DeleteServiceInput) (*sdk.DeleteServiceOutput, error) {
	s, err := find(&m.services, serviceKind, in.ServiceIdentifier)
	if err != nil {
		return nil, err
	}
	for _, l := range m.links.All() {
		if l.service == s {
			return nil, conflict(serviceKind, s.id, "Service %s is associated with service network %s", s.id, l.network.id)
		}
	}
	if err := m.remove(&s.life, serviceKind, s.id); err != nil {
		return nil, err
	}
	for _, l := range s.listeners.Values() {
		m.dropListener(s, l)
	}
	return &sdk.DeleteServiceOutput{Arn: &s.arn, Id: &s.id, Name: &s.title, Status: m.state(s)}, nil
}

func (m *Mesh) listServices(in *sdk.ListServicesInput) (*sdk.ListServicesOutput, error) {
	items, next, err := cut(m.services.Values(), in.MaxResults, in.NextToken, m.showService)
	return &sdk.ListServicesOutput{Items: items, NextToken: next}, err
}
