package elb

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model/attribute"
)

func (s *State) modifyListener(in *sdk.ModifyListenerInput) (*sdk.ModifyListenerOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	d, err := changed(l, in)
	if err != nil {
		return nil, err
	}
	if aws.ToInt32(d.Port) != aws.ToInt32(l.Port) {
		if err := s.checkNoTarget(l); err != nil {
			return nil, err
		}
	}
	byDefault := l.rules[len(l.rules)-1]
	// What AWS gave back is complete but for secrets, which stay when the actions do.
	actions, held := l.DefaultActions, byDefault.secrets
	if in.DefaultActions != nil {
		actions = in.DefaultActions
	} else {
		actions = withExistingSecrets(actions)
	}
	if err := s.complete(d, actions, held); err != nil {
		return nil, err
	}
	if err := s.checkRulesStillFit(d, l); err != nil {
		return nil, err
	}
	if other := l.balancer.onPort(aws.ToInt32(d.Port)); other != nil && other != l {
		return nil, duplicateListener(l.balancer)
	}
	if err := s.relink(l.balancer, l.DefaultActions, d.DefaultActions); err != nil {
		return nil, err
	}
	s.replaceListener(l, d)
	return &sdk.ModifyListenerOutput{Listeners: []elbtypes.Listener{l.Listener}}, nil
}

// changed applies a request to a copy of a listener: what the request leaves out stays.
func changed(l *listener, in *sdk.ModifyListenerInput) (*draft, error) {
	d := &draft{listener: *l}
	if in.Port != nil {
		d.Port = in.Port
	}
	if in.Protocol != "" {
		d.Protocol = in.Protocol
	}
	if isQUIC(l.Protocol) && aws.ToInt32(d.Port) != aws.ToInt32(l.Port) {
		return nil, unfit("The port of a QUIC listener cannot be changed")
	}
	if secure(l.Protocol) && !secure(d.Protocol) {
		// Leaving HTTPS or TLS removes the policy and the default certificate.
		d.SslPolicy, d.Certificates, d.MutualAuthentication, d.AlpnPolicy = nil, nil, nil, nil
	}
	if in.SslPolicy != nil {
		d.SslPolicy = in.SslPolicy
	}
	if in.Certificates != nil {
		d.Certificates = in.Certificates
	}
	if in.MutualAuthentication != nil {
		d.MutualAuthentication = in.MutualAuthentication
	}
	if in.AlpnPolicy != nil {
		d.AlpnPolicy = in.AlpnPolicy
	}
	return d, nil
}

func secure(p elbtypes.ProtocolEnum) bool {
	return p == elbtypes.ProtocolEnumHttps || p == elbtypes.ProtocolEnumTls
}

// withExistingSecrets marks OIDC actions that came from AWS, without their secret, as keeping it.
func withExistingSecrets(actions []elbtypes.Action) []elbtypes.Action {
	all := slices.Clone(actions)
	for i, a := range all {
		if a.AuthenticateOidcConfig != nil {
			c := *a.AuthenticateOidcConfig
			c.UseExistingClientSecret = aws.Bool(true)
			all[i].AuthenticateOidcConfig = &c
		}
	}
	return all
}

// checkRulesStillFit refuses a change of protocol under which a rule of the listener could not have been made.
func (s *State) checkRulesStillFit(d *draft, l *listener) error {
	if d.Protocol == l.Protocol {
		return nil
	}
	for _, r := range l.rules {
		if aws.ToBool(r.IsDefault) {
			continue
		}
		if _, _, err := s.readActions(&d.listener, withExistingSecrets(r.Actions), r.secrets); err != nil {
			return err
		}
	}
	return nil
}

// replaceListener lets a draft take effect.
func (s *State) replaceListener(l *listener, d *draft) {
	s.index.removeListener(l)
	l.Listener = d.Listener
	if !secure(l.Protocol) {
		l.certificates = nil
	}
	s.index.addListener(l)
	fresh := attribute.Defaults(listenerAttributes(l))
	for key, value := range l.attributes {
		if _, ok := fresh[key]; ok {
			fresh[key] = value
		}
	}
	l.attributes = fresh
	r := l.rules[len(l.rules)-1]
	r.Actions, r.secrets = d.DefaultActions, d.secrets
	slices.SortFunc(l.balancer.listeners, func(a, b *listener) int { return cmp.Compare(aws.ToInt32(a.Port), aws.ToInt32(b.Port)) })
}
