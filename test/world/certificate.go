package world

import (
	"fmt"

	"github.com/headgate/headgate/sandbox/selfsigned"
)

// ImportCertificate imports a self-signed certificate for hosts into the run's account, and returns its ARN.
func (r *Run) ImportCertificate(hosts ...string) (string, error) {
	made, err := selfsigned.New(hosts...)
	if err != nil {
		return "", fmt.Errorf("for %s: %w", r.Name, err)
	}
	arn, err := made.Import(r.test.Context(), r.AWS())
	if err != nil {
		return "", fmt.Errorf("for %s: %w", r.Name, err)
	}
	return arn, nil
}
