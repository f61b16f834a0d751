package wire

import (
	"fmt"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/inventory"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
)

// Doors are the settings of the front doors.
type Doors struct {
	Ingress ingress.Settings
	Gateway gateway.Settings
}

// FrontDoors are what the settings say to the front doors. Who only plans asks them the same.
func FrontDoors(s Settings) (Doors, error) {
	rules, err := secretRules(s)
	return Doors{Ingress: ingressSettings(s, rules), Gateway: gatewaySettings(s, rules)}, err
}

func secretRules(s Settings) (secret.Rules, error) {
	label, err := secret.ParseLabel(s.SecretsLabel)
	if err != nil {
		return secret.Rules{}, fmt.Errorf("reading --required-secrets-label: %w", err)
	}
	return secret.Rules{Label: label}, nil
}

// CloudOptions are what the settings say to AWS's client, without what makes it an operator's: Secrets, and who counts its calls.
func CloudOptions(s Settings) cloud.Options {
	out := cloud.Options{
		Cluster: s.Cluster, Region: s.Region, VPC: s.VPC, VPCTags: s.VPCTags, Endpoints: s.Endpoints, Attempts: s.MaxRetries + 1,
		Transport: s.Transport, TargetGroupTags: s.InterfaceTags, BackendGroup: s.BackendGroupID,
		Discovery: inventory.Discovery{Managed: s.CertificateManagement}, Shelf: s.Shelf,
	}
	for _, arn := range s.Authorities {
		out.Discovery.Authorities = append(out.Discovery.Authorities, model.ARN(arn))
	}
	return out
}

func gatewaySettings(s Settings, secrets secret.Rules) gateway.Settings {
	return gateway.Settings{
		ClusterName: s.Cluster, DefaultTargetType: s.TargetType, DefaultScheme: s.Scheme, DefaultSSLPolicy: s.SSLPolicy,
		DefaultTags: s.DefaultTags, BackendSecurityGroup: s.BackendGroup, WatchNamespace: s.WatchNamespace,
		Without: without(s), SingleSubnet: s.SingleSubnet, Tuning: s.Tuning, Secrets: secrets, Arrivals: s.Arrivals, Shelf: s.Shelf,
	}
}

func ingressSettings(s Settings, secrets secret.Rules) ingress.Settings {
	return ingress.Settings{
		ClusterName: s.Cluster, IngressClass: s.IngressClass, Classless: s.IngressClass == "", DefaultTargetType: s.TargetType,
		DefaultScheme: s.Scheme, DefaultSSLPolicy: s.SSLPolicy, DefaultTags: s.DefaultTags, ExternalManagedTags: s.ExternalTags,
		WatchNamespace: s.WatchNamespace, BackendSecurityGroup: s.BackendGroup, Secrets: secrets,
		CertificateManagement: s.CertificateManagement, DefaultAuthority: s.Authority,
		Without: without(s), SingleSubnet: s.SingleSubnet, Tuning: s.Tuning,
		NoClassAnnotation: s.NoClassAnnotation, NoGroupAnnotation: s.NoGroupAnnotation,
		DemandServices: s.DemandServices, DemandActions: s.DemandActions,
	}
}

// without are the add-ons that the settings leave out.
func without(s Settings) []model.Addon {
	var out []model.Addon
	for _, a := range []struct {
		addon model.Addon
		on    bool
	}{
		{model.AddonWebACL, s.WAFv2}, {model.AddonClassicWebACL, s.WAF}, {model.AddonProtection, s.Shield}, {model.AddonCapacity, s.Capacity},
	} {
		if !a.on {
			out = append(out, a.addon)
		}
	}
	return out
}
