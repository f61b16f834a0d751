package sim_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"

	"github.com/headgate/headgate/cloud/sim"
)

// holdings is what deletions must respect, of the state as JSON shows it.
type holdings struct {
	Balancing struct {
		LoadBalancers []struct {
			LoadBalancer struct {
				SecurityGroups []string `json:"SecurityGroups"`
			} `json:"LoadBalancer"`
		} `json:"LoadBalancers"`
	} `json:"elasticloadbalancing"`
	Firewall struct {
		WebACLs []struct {
			ID  string `json:"Id"`
			ARN string `json:"ARN"`
		} `json:"WebACLs"`
		Associations map[string]string `json:"Associations"`
	} `json:"wafv2"`
	Zones []struct {
		HostedZone struct {
			ID string `json:"Id"`
		} `json:"HostedZone"`
		ResourceRecordSets []any `json:"ResourceRecordSets"`
	} `json:"route53"`
	Accelerators []struct {
		Accelerator struct {
			AcceleratorArn string `json:"AcceleratorArn"`
		} `json:"Accelerator"`
		Listeners []any `json:"Listeners"`
	} `json:"globalaccelerator"`
}

// mustStay says why a deletion that is about to be called has to fail; empty for one that may succeed, and for other calls.
func (c *chaos) mustStay(o sim.Offered, in any) string {
	c.Helper()
	if !strings.HasPrefix(o.Name, "Delete") {
		return ""
	}
	switch in := in.(type) {
	case *ec2.DeleteSecurityGroupInput:
		for _, lb := range c.holdings().Balancing.LoadBalancers {
			if slices.Contains(lb.LoadBalancer.SecurityGroups, aws.ToString(in.GroupId)) {
				return "a load balancer has the security group"
			}
		}
	case *route53.DeleteHostedZoneInput:
		for _, z := range c.holdings().Zones {
			// The records of the zone itself are two.
			if strings.TrimPrefix(z.HostedZone.ID, "/hostedzone/") == strings.TrimPrefix(aws.ToString(in.Id), "/hostedzone/") && len(z.ResourceRecordSets) > 2 {
				return "the zone has records"
			}
		}
	case *globalaccelerator.DeleteAcceleratorInput:
		for _, a := range c.holdings().Accelerators {
			if a.Accelerator.AcceleratorArn == aws.ToString(in.AcceleratorArn) && len(a.Listeners) > 0 {
				return "the accelerator has listeners"
			}
		}
	case *wafv2.DeleteWebACLInput:
		if c.holdings().protects(aws.ToString(in.Id)) {
			return "the web ACL protects something"
		}
	}
	return ""
}

// protects reports whether a web ACL is associated with something.
func (h holdings) protects(id string) bool {
	for _, acl := range h.Firewall.WebACLs {
		for _, used := range h.Firewall.Associations {
			if acl.ID == id && used == acl.ARN {
				return true
			}
		}
	}
	return false
}

func (c *chaos) holdings() holdings {
	c.Helper()
	state := c.Sim.State()
	for name := range state {
		if !slices.Contains([]string{"elasticloadbalancing", "wafv2", "route53", "globalaccelerator"}, name) {
			delete(state, name)
		}
	}
	var held holdings
	body, err := json.Marshal(state)
	if err == nil {
		err = json.Unmarshal(body, &held)
	}
	if err != nil {
		c.Fatal(err)
	}
	return held
}

// checkDeletions tries to delete what must stay.
func (c *chaos) checkDeletions(offers []sim.Offered) {
	c.Helper()
	held := c.holdings()
	var inputs []any
	for _, lb := range held.Balancing.LoadBalancers {
		for _, group := range lb.LoadBalancer.SecurityGroups {
			inputs = append(inputs, &ec2.DeleteSecurityGroupInput{GroupId: &group})
		}
	}
	for _, z := range held.Zones {
		id := strings.TrimPrefix(z.HostedZone.ID, "/hostedzone/")
		inputs = append(inputs, &route53.DeleteHostedZoneInput{Id: &id})
	}
	for _, a := range held.Accelerators {
		inputs = append(inputs, &globalaccelerator.DeleteAcceleratorInput{AcceleratorArn: &a.Accelerator.AcceleratorArn})
	}
	for _, in := range inputs {
		for _, o := range offers {
			if !sameShape(o.New(), in) {
				continue
			}
			why := c.mustStay(o, in)
			if why == "" {
				continue
			}
			if _, err := o.Call(in); err == nil {
				c.Errorf("%s of %s succeeded, but %s", o.Name, o.Service, why)
			}
		}
	}
}
