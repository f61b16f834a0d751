package sim_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim"
)

// references collects the texts of a state that name a resource, by the name of the member that has them.
func references(tree any, member string, into map[string]string) {
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			references(v, k, into)
		}
	case []any:
		for _, v := range t {
			references(v, member, into)
		}
	case string:
		if strings.HasSuffix(strings.ToLower(strings.TrimSuffix(member, "s")), "arn") || member == "SecurityGroups" || member == "SubnetId" || member == "InUseBy" {
			into[t] = member
		}
	}
}

// checkReferences demands that what the state names is there. Protections and accelerators may outlive what they are for, as on AWS, and
// nobody looks behind the functions that a user pool calls.
func (c *chaos) checkReferences(offers []sim.Offered) {
	c.Helper()
	state := c.Sim.State()
	delete(state, "shield")
	delete(state, "globalaccelerator")
	delete(state, "cognito-idp")
	body, err := json.Marshal(state)
	var tree any
	if err != nil || json.Unmarshal(body, &tree) != nil {
		c.Fatal(err)
	}
	named := map[string]string{}
	references(tree, "", named)
	call := func(in any) error {
		for _, o := range offers {
			if sameShape(o.New(), in) {
				_, err := o.Call(in)
				return err
			}
		}
		return nil
	}
	for _, text := range slices.Sorted(maps.Keys(named)) {
		var err error
		switch {
		case strings.Contains(text, ":elasticloadbalancing:"):
			err = call(&elb.DescribeTagsInput{ResourceArns: []string{text}})
		case strings.Contains(text, ":acm:"):
			err = call(&acm.ListTagsForCertificateInput{CertificateArn: &text})
		case strings.HasPrefix(text, "sg-"):
			err = call(&ec2.DescribeSecurityGroupsInput{GroupIds: []string{text}})
		case strings.HasPrefix(text, "subnet-"):
			err = call(&ec2.DescribeSubnetsInput{SubnetIds: []string{text}})
		}
		if err != nil {
			c.Errorf("the state has %s %s, which is not there: %v", named[text], text, err)
		}
	}
}
