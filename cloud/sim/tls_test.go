package sim_test

import (
	"crypto/tls"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/acm"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// servedNames gives the names of the certificate that an address serves for a host, or the error.
func servedNames(t *testing.T, address, host string) string {
	t.Helper()
	// Nobody signed the certificates of these tests: what they say is what is tested.
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: host}}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		return err.Error()
	}
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatalf("connection is %T", conn)
	}
	names := secure.ConnectionState().PeerCertificates[0].DNSNames
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(names)
}

// reimport puts new material under an ARN.
func (f *fixture) reimport(arn *string, names ...string) {
	f.Helper()
	body, key := contract.Pair(f, names...)
	_, err := f.acm.ImportCertificate(f.Context(), &acm.ImportCertificateInput{Certificate: body, PrivateKey: key, CertificateArn: arn})
	contract.WantCode(f, err, "")
}
