package contract

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/shield"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	"github.com/aws/aws-sdk-go-v2/service/wafregional"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
)

// Clients gives a client of the SDK for each service, by the names that scripts have for them.
func (f *Fixture) Clients() map[string]any {
	c := f.Config
	return map[string]any{
		"acm": acm.NewFromConfig(c), "cognito": cognitoidentityprovider.NewFromConfig(c), "ec2": ec2.NewFromConfig(c), "elb": elb.NewFromConfig(c),
		"accelerator": globalaccelerator.NewFromConfig(c), "iam": iam.NewFromConfig(c), "lattice": vpclattice.NewFromConfig(c),
		"route53": route53.NewFromConfig(c), "s3": s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), "shield": shield.NewFromConfig(c),
		"sts": sts.NewFromConfig(c), "tagging": resourcegroupstaggingapi.NewFromConfig(c), "waf": wafregional.NewFromConfig(c),
		"wafv2": wafv2.NewFromConfig(c),
	}
}

// variables gives what scripts can name from their first line on: the identifiers of the world, and two certificates with their keys, as
// texts and, for inputs that take bytes, in Base64.
func (f *Fixture) variables() map[string]string {
	w := f.Sim.World()
	known := map[string]string{"vpc": w.VPC, "nodes": w.NodeSecurityGroup}
	for kind, ids := range map[string][]string{"public": w.PublicSubnets, "private": w.PrivateSubnets} {
		for i, id := range ids {
			known[kind+strconv.Itoa(i)] = id
		}
	}
	for _, name := range []string{"", "other"} {
		certificate, key := Pair(f, "example.com")
		known[name+"certificate"], known[name+"key"] = string(certificate), string(key)
		known[name+"certificate64"], known[name+"key64"] = base64.StdEncoding.EncodeToString(certificate), base64.StdEncoding.EncodeToString(key)
	}
	return known
}
