// Package flags has the flags that decide what the operator builds: the operator's and those of the command line that plans.
//
// It owns their names, defaults and forms, and may import package wire, whose settings they fill, and the standard library. Its
// invariant: a flag has one meaning, whoever takes it.
package flags

import (
	"flag"

	"github.com/headgate/headgate/cmd/headgate-controller/wire"
)

// Define declares the flags that decide what is built. Names and defaults are the incumbent's where it has the flag.
func Define(fs *flag.FlagSet, s *wire.Settings) {
	defineDefaults(fs, s)
	defineAddons(fs, s)
	defineRules(fs, s)
	defineCertificates(fs, s)
	fs.StringVar(&s.WatchNamespace, "watch-namespace", "", "the one namespace to watch; empty means all")
}

func defineDefaults(fs *flag.FlagSet, s *wire.Settings) {
	fs.StringVar(&s.IngressClass, "ingress-class", "alb", "value of the kubernetes.io/ingress.class annotation that is ours")
	fs.StringVar(&s.TargetType, "default-target-type", "instance", "target type where none is set: instance or ip")
	fs.StringVar(&s.Scheme, "default-load-balancer-scheme", "internal", "scheme where none is set: internal or internet-facing")
	fs.StringVar(&s.SSLPolicy, "default-ssl-policy", "ELBSecurityPolicy-2016-08", "security policy of HTTPS listeners where none is set")
	fs.Var(Map{&s.DefaultTags}, "default-tags", "tags (k=v,…) of all AWS resources")
	fs.Var(List{&s.ExternalTags}, "external-managed-tags", "tag keys that somebody else manages")
	fs.StringVar(&s.BackendGroupID, "backend-security-group", "",
		"ID of a security group of yours that pods admit, in place of the shared one; it is neither made nor deleted")
	fs.BoolVar(&s.BackendGroup, "enable-backend-security-group", true, "give load balancers one shared security group that pods admit")
}

// defineCertificates declares the flags about certificates and Secrets.
func defineCertificates(fs *flag.FlagSet, s *wire.Settings) {
	fs.StringVar(&s.Authority, "default-pca-arn", "", "private certificate authority of certificates that are created; empty means public ones")
	fs.Var(List{&s.Authorities}, "allowed-certificate-authority-arns",
		"authorities whose certificates are found by host name; empty means all certificates")
	fs.StringVar(&s.SecretsLabel, "required-secrets-label", "", "label (key=value) without which no Secret is used; empty means none")
	fs.StringVar(&s.Shelf.Bucket, "trust-store-bucket", "",
		"S3 bucket for the certificates of authorities that a Gateway's spec.tls.frontend names; without it such listeners answer 503")
	fs.StringVar(&s.Shelf.Prefix, "trust-store-prefix", "headgate/",
		"what the keys of objects in --trust-store-bucket begin with; accounts that share a bucket need one each")
}
