package examples_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/idp"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

const (
	providerHost = "idp.example.com"
	poolHost     = "people.auth.us-west-2.amazoncognito.com"
)

// account is what the examples expect to be there, and what stands in it for their placeholders.
type account struct {
	certificate, pool, client string
	// office is the security group of that name; web the ARN of the web ACL "front".
	office, web string
	// secrets are Secrets with certificates, by name.
	secrets map[string][]byte
	// trusted is who signed the certificates of load balancers and of identity providers.
	trusted *x509.CertPool
	// hosts are the addresses of identity providers.
	hosts  map[string]string
	tokens *idp.Provider
	// partner is the certificate of a client that the trust store vouches for.
	partner tls.Certificate
}

var (
	certificateARN = regexp.MustCompile(`arn:aws:acm:[^\s"]+`)
	poolARN        = regexp.MustCompile(`arn:aws:cognito-idp:[^\s"]+`)
)

// fill puts what the account has in the place of an example's placeholders.
func (a *account) fill(manifest []byte) []byte {
	text := certificateARN.ReplaceAllString(string(manifest), a.certificate)
	text = poolARN.ReplaceAllString(text, a.pool)
	return []byte(strings.ReplaceAll(text, "exampleclient", a.client))
}

// must is for calls that make what is expected to be there.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func furnish(t *testing.T, s *sim.Simulator) account {
	t.Helper()
	a := account{trusted: x509.NewCertPool(), hosts: map[string]string{}, secrets: map[string][]byte{}}
	made := must[selfsigned.Certificate](t)(selfsigned.New("*.example.com", poolHost))
	a.trusted.AppendCertsFromPEM(made.Cert)
	a.certificate = must[string](t)(made.Import(t.Context(), s.AWSConfig()))
	pair := must[tls.Certificate](t)(tls.X509KeyPair(made.Cert, made.Key))
	a.tokens = a.provider(t, s, provider{providerHost, "https://" + providerHost, "shop", "example", pair})
	for name, host := range map[string]string{
		"shop-tls": "shop.example.net", "wildcard-example-com": "*.example.com", "pay-example-net": "pay.example.net",
	} {
		a.keep(t, name, host)
	}
	a.people(t, s, pair)
	a.partners(t, s)
	a.network(t, s)
	a.firewall(t, s)
	return a
}

// keep makes a Secret with a certificate for a host. ACM has none of these, but for the wildcard's host.
func (a *account) keep(t *testing.T, name, host string) {
	t.Helper()
	own := must[selfsigned.Certificate](t)(selfsigned.New(host))
	a.trusted.AppendCertsFromPEM(own.Cert)
	a.secrets[name] = fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": %q},
		"stringData": {"tls.crt": %q, "tls.key": %q}}`, name, own.Cert, own.Key)
}

// provider is an identity provider with one client.
type provider struct {
	host, issuer, client, secret string
	pair                         tls.Certificate
}

func (a *account) provider(t *testing.T, s *sim.Simulator, w provider) *idp.Provider {
	t.Helper()
	p := must[*idp.Provider](t)(idp.New(idp.Options{
		Issuer: w.issuer, Clients: map[string]string{w.client: w.secret}, Users: map[string]map[string]any{"ada": {"email": "ada@example.com"}},
	}))
	server := httptest.NewUnstartedServer(http.HandlerFunc(p.ServeHTTP))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{w.pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	a.hosts[w.host] = address
	if err := s.SetHosts(map[string]*string{w.host: &address}); err != nil {
		t.Fatal(err)
	}
	return p
}

// people is the user pool of the domain "people".
func (a *account) people(t *testing.T, s *sim.Simulator, pair tls.Certificate) {
	t.Helper()
	pools := cognito.NewFromConfig(s.AWSConfig())
	pool := must[*cognito.CreateUserPoolOutput](t)(pools.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{PoolName: aws.String("people")})).UserPool
	must[*cognito.CreateUserPoolDomainOutput](t)(pools.CreateUserPoolDomain(t.Context(),
		&cognito.CreateUserPoolDomainInput{UserPoolId: pool.Id, Domain: aws.String("people")}))
	client := must[*cognito.CreateUserPoolClientOutput](t)(pools.CreateUserPoolClient(t.Context(), &cognito.CreateUserPoolClientInput{
		UserPoolId: pool.Id, ClientName: aws.String("shop"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeCode}, AllowedOAuthScopes: []string{"openid"},
		CallbackURLs: []string{"https://" + shop + "/oauth2/idpresponse"}, SupportedIdentityProviders: []string{"COGNITO"},
	})).UserPoolClient
	a.pool, a.client = aws.ToString(pool.Arn), aws.ToString(client.ClientId)
	issuer := "https://cognito-idp.us-west-2.amazonaws.com/" + aws.ToString(pool.Id)
	a.provider(t, s, provider{poolHost, issuer, a.client, aws.ToString(client.ClientSecret), pair})
}

// partners is the trust store of that name, with one authority that is its own only client.
func (a *account) partners(t *testing.T, s *sim.Simulator) {
	t.Helper()
	made := must[selfsigned.Certificate](t)(selfsigned.New("partner.example.org"))
	a.partner = must[tls.Certificate](t)(tls.X509KeyPair(made.Cert, made.Key))
	config := s.AWSConfig()
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := aws.String("partners"), aws.String("ca.pem")
	must[*s3.CreateBucketOutput](t)(objects.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2},
	}))
	must[*s3.PutObjectOutput](t)(objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(string(made.Cert))}))
	must[*elb.CreateTrustStoreOutput](t)(elb.NewFromConfig(config).CreateTrustStore(t.Context(), &elb.CreateTrustStoreInput{
		Name: aws.String("partners"), CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: key,
	}))
}

// network is the security group "office" and the target groups that somebody else made.
func (a *account) network(t *testing.T, s *sim.Simulator) {
	t.Helper()
	vpc := aws.String(s.World().VPC)
	group := must[*ec2.CreateSecurityGroupOutput](t)(ec2.NewFromConfig(s.AWSConfig()).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("office"), Description: aws.String("the office"), VpcId: vpc,
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("office")}},
		}},
	}))
	a.office = aws.ToString(group.GroupId)
	for _, name := range []string{"legacy", "gated"} {
		must[*elb.CreateTargetGroupOutput](t)(elb.NewFromConfig(s.AWSConfig()).CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: vpc, TargetType: elbtypes.TargetTypeEnumIp,
		}))
	}
}

func (a *account) firewall(t *testing.T, s *sim.Simulator) {
	t.Helper()
	seen := &waftypes.VisibilityConfig{CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true, MetricName: aws.String("front")}
	made := must[*wafv2.CreateWebACLOutput](t)(wafv2.NewFromConfig(s.AWSConfig()).CreateWebACL(t.Context(), &wafv2.CreateWebACLInput{
		Name: aws.String("front"), Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}}, VisibilityConfig: seen,
	}))
	a.web = aws.ToString(made.Summary.ARN)
}
