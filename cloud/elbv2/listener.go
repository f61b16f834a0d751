package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// Listeners are the listeners of a load balancer, by port, without rules, attributes, tags, and further certificates.
func (c *Client) Listeners(ctx context.Context, lb model.ARN) ([]model.Listener, error) {
	pages := elasticloadbalancingv2.NewDescribeListenersPaginator(c.api, &elasticloadbalancingv2.DescribeListenersInput{
		LoadBalancerArn: aws.String(string(lb)), PageSize: number(pageSize),
	})
	var out []model.Listener
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("listeners of "+string(lb), err)
		}
		for _, l := range page.Listeners {
			out = append(out, readListener(l))
		}
	}
	SortListeners(out)
	return out, nil
}

// SortListeners puts listeners into the order of their ports.
func SortListeners(all []model.Listener) {
	slices.SortStableFunc(all, func(a, b model.Listener) int { return a.Port - b.Port })
}

// CreateListener makes l on the load balancer lb, with its default certificate.
func (c *Client) CreateListener(ctx context.Context, lb model.ARN, l model.Listener) (model.Listener, error) {
	out, err := c.api.CreateListener(ctx, &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: aws.String(string(lb)),
		Port:            number(l.Port),
		Protocol:        types.ProtocolEnum(l.Protocol),
		Certificates:    defaultCertificate(l),
		SslPolicy:       optional(l.SSLPolicy),
		DefaultActions:  withSecrets(ctx, writeActions(l.DefaultActions)),
		Tags:            tagsOf(l.Tags),

		MutualAuthentication: writeMutual(l.MutualAuth),
	}, once)
	if err != nil {
		return model.Listener{}, writing("creating listener "+string(lb), err)
	}
	if len(out.Listeners) == 0 {
		return model.Listener{}, writing("creating listener "+string(lb), absent("CreateListener"))
	}
	return readListener(out.Listeners[0]), nil
}

// ModifyListener makes protocol, default certificate, policy, mutual authentication (where l says it) and default actions of
// the listener arn those of l.
func (c *Client) ModifyListener(ctx context.Context, arn model.ARN, l model.Listener) error {
	_, err := c.api.ModifyListener(ctx, &elasticloadbalancingv2.ModifyListenerInput{
		ListenerArn:    aws.String(string(arn)),
		Port:           number(l.Port),
		Protocol:       types.ProtocolEnum(l.Protocol),
		Certificates:   defaultCertificate(l),
		SslPolicy:      optional(l.SSLPolicy),
		DefaultActions: withSecrets(ctx, writeActions(l.DefaultActions)),

		MutualAuthentication: writeMutual(l.MutualAuth),
	})
	if err != nil {
		return writing("modifying "+string(arn), err)
	}
	return nil
}

// DeleteListener deletes a listener with its rules.
func (c *Client) DeleteListener(ctx context.Context, arn model.ARN) error {
	_, err := c.api.DeleteListener(ctx, &elasticloadbalancingv2.DeleteListenerInput{ListenerArn: aws.String(string(arn))})
	if err != nil {
		return writing("deleting "+string(arn), err)
	}
	return nil
}

// Certificates are the certificates of a listener beside its default one, sorted.
func (c *Client) Certificates(ctx context.Context, listener model.ARN) ([]model.ARN, error) {
	pages := elasticloadbalancingv2.NewDescribeListenerCertificatesPaginator(c.api,
		&elasticloadbalancingv2.DescribeListenerCertificatesInput{ListenerArn: aws.String(string(listener)), PageSize: number(pageSize)})
	var out []model.ARN
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("certificates of "+string(listener), err)
		}
		for _, cert := range page.Certificates {
			if !aws.ToBool(cert.IsDefault) {
				out = append(out, model.ARN(aws.ToString(cert.CertificateArn)))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// AddCertificate adds a certificate beside the default one; adding it again changes nothing.
func (c *Client) AddCertificate(ctx context.Context, listener, certificate model.ARN) error {
	_, err := c.api.AddListenerCertificates(ctx, &elasticloadbalancingv2.AddListenerCertificatesInput{
		ListenerArn: aws.String(string(listener)), Certificates: []types.Certificate{{CertificateArn: aws.String(string(certificate))}},
	})
	if err != nil {
		return writing("adding certificate "+string(certificate), err)
	}
	return nil
}

// RemoveCertificate removes a certificate that is not the default one.
func (c *Client) RemoveCertificate(ctx context.Context, listener, certificate model.ARN) error {
	_, err := c.api.RemoveListenerCertificates(ctx, &elasticloadbalancingv2.RemoveListenerCertificatesInput{
		ListenerArn: aws.String(string(listener)), Certificates: []types.Certificate{{CertificateArn: aws.String(string(certificate))}},
	})
	if err != nil {
		return writing("removing certificate "+string(certificate), err)
	}
	return nil
}

func defaultCertificate(l model.Listener) []types.Certificate {
	if len(l.Certificates) == 0 {
		return nil
	}
	return []types.Certificate{{CertificateArn: aws.String(string(l.Certificates[0]))}}
}

func readListener(in types.Listener) model.Listener {
	l := model.Listener{
		ARN:            model.ARN(aws.ToString(in.ListenerArn)),
		Port:           int(aws.ToInt32(in.Port)),
		Protocol:       string(in.Protocol),
		SSLPolicy:      aws.ToString(in.SslPolicy),
		DefaultActions: readActions(in.DefaultActions),
		MutualAuth:     readMutual(in.MutualAuthentication),
	}
	for _, cert := range in.Certificates {
		l.Certificates = append(l.Certificates, model.ARN(aws.ToString(cert.CertificateArn)))
	}
	return l
}
