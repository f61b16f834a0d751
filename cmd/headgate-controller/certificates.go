package main

import "flag"

// defineCertificates declares the flags about certificates and Secrets.
func (s *settings) defineCertificates(fs *flag.FlagSet) {
	fs.StringVar(&s.Authority, "default-pca-arn", "", "private certificate authority of certificates that are created; empty means public ones")
	fs.Var(listFlag{&s.Authorities}, "allowed-certificate-authority-arns",
		"authorities whose certificates are found by host name; empty means all certificates")
	fs.StringVar(&s.SecretsLabel, "required-secrets-label", "", "label (key=value) without which no Secret is used; empty means none")
}
