package traffic

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

// varied is a stage whose Ingress has other settings each time.
type varied struct {
	*stage
	walls *walls
	// certificates are ARNs, groups the IDs of security groups of the user's.
	certificates, groups []string
	// sealed are certificates that Secrets hold, and fillers ARNs of those that only take room; names are what named ones are for.
	sealed  []selfsigned.Certificate
	fillers []string
	names   map[string][]string
}

// doors are the ports of listeners.
func doors() []int32 { return []int32{80, 443, 8443} }

// narrow are quotas that take each configuration, and leave no room to make one before another is broken.
func narrow() elb.Quotas { return elb.Quotas{RulesPerLoadBalancer: 18, GroupsPerLoadBalancer: 4} }

// newVaried is a stage with nodes, certificates and security groups, of an account with quotas.
func newVaried(t *testing.T, quotas elb.Quotas) *varied {
	t.Helper()
	o := delayed()
	o.Quotas = quotas
	s := newStage(t, o)
	s.credulous, s.directory = true, newDirectory()
	v := &varied{stage: s, walls: &walls{stage: s}, names: map[string][]string{}}
	s.transport = v.walls
	s.connect()
	for _, names := range [][]string{
		{"s.example.com"}, {"t.example.com"}, {"*.example.com"}, {"s.example.com", "t.example.com"}, {"example.org"}, {"*.example.com", "example.org"},
	} {
		v.certificates = append(v.certificates, v.certify(names...))
	}
	for _, names := range [][]string{{"s.example.com"}, {"t.example.com", "s.example.com"}, {"*.example.com"}, {"example.org"}} {
		v.sealed = append(v.sealed, v.signed(names...))
	}
	if quotas != (elb.Quotas{}) {
		for n := range certificateQuota {
			v.fillers = append(v.fillers, v.certify(fmt.Sprintf("f%d.example.net", n)))
		}
	}
	network := ec2.NewFromConfig(s.sim.AWSConfig())
	for _, block := range []string{"0.0.0.0/0", "192.0.2.0/24"} {
		v.groups = append(v.groups, v.wall(network, block))
	}
	v.settle(network)
	return v
}

// signed makes a certificate.
func (v *varied) signed(names ...string) selfsigned.Certificate {
	v.t.Helper()
	made, err := selfsigned.New(names...)
	if err != nil {
		v.t.Fatal(err)
	}
	return made
}

// certify makes a certificate of the account, and gives its ARN.
func (v *varied) certify(names ...string) string {
	v.t.Helper()
	arn, err := v.signed(names...).Import(v.t.Context(), v.sim.AWSConfig())
	if err != nil {
		v.t.Fatal(err)
	}
	v.names[arn] = names
	return arn
}

// wall makes a security group of the user's, which a range may connect to, and has pods and nodes admit it.
func (v *varied) wall(network *ec2.Client, block string) string {
	v.t.Helper()
	made, err := network.CreateSecurityGroup(v.t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("own " + strconv.Itoa(len(v.groups))), Description: aws.String("of a user"), VpcId: aws.String(v.sim.World().VPC),
	})
	if err != nil {
		v.t.Fatal(err)
	}
	for group, permission := range map[string]ec2types.IpPermission{
		*made.GroupId:                   {IpRanges: []ec2types.IpRange{{CidrIp: &block}}},
		v.sim.World().NodeSecurityGroup: {UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: made.GroupId}}},
	} {
		permission.IpProtocol, permission.FromPort, permission.ToPort = aws.String("tcp"), aws.Int32(0), aws.Int32(65535)
		if _, err := network.AuthorizeSecurityGroupIngress(v.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group, IpPermissions: []ec2types.IpPermission{permission},
		}); err != nil {
			v.t.Fatal(err)
		}
	}
	return *made.GroupId
}

// settle gives pods interfaces, and starts two nodes, which send what comes to a node port to a pod.
func (v *varied) settle(network *ec2.Client) {
	v.t.Helper()
	world := v.sim.World()
	for _, pods := range v.pods {
		for _, p := range pods {
			if _, err := v.sim.AddNetworkInterface(sim.Interface{
				VPC: world.VPC, Addresses: []string{p.address}, SecurityGroups: []string{world.NodeSecurityGroup},
			}); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	v.nodes = map[string]string{}
	for n := range 2 {
		address := fmt.Sprintf("10.0.128.%d", 200+n)
		made, err := network.RunInstances(v.t.Context(), &ec2.RunInstancesInput{
			MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: &world.PrivateSubnets[0], PrivateIpAddress: &address,
			SecurityGroupIds: []string{world.NodeSecurityGroup},
		})
		if err != nil {
			v.t.Fatal(err)
		}
		v.nodes[*made.Instances[0].InstanceId] = address
		entries := map[string]*string{}
		for service, pods := range v.pods {
			for _, port := range []int{80, 81} {
				entries[fmt.Sprintf("%s:%d", address, nodePort(service, port))] = &pods[0].at
			}
		}
		if err := v.sim.SetAddresses(entries); err != nil {
			v.t.Fatal(err)
		}
	}
}

// asks are the requests, each by HTTP and by HTTPS.
func (*varied) asks() []ask {
	var out []ask
	for _, port := range doors() {
		for _, scheme := range []string{"http", "https"} {
			for _, host := range []string{"s.example.com", "t.example.com"} {
				for _, path := range []string{"/", "/x"} {
					out = append(out, ask{to: fmt.Sprintf("GET %s://%s:%d%s", scheme, host, port, path)})
				}
			}
		}
	}
	return out
}

// namesOf are the names of a certificate as plans have it: by its names, or by its ARN.
func (v *varied) namesOf(certificate string) []string {
	if names, ok := v.names[certificate]; ok {
		return names
	}
	return strings.FieldsFunc(certificate, func(c rune) bool { return c == ',' || c == ' ' })
}

// course is what was seen of many changes.
type course struct {
	sent, states, cuts          int
	replaced, imported, exposed int
	excuses                     tally
}

// change goes from one configuration to another one, started again now and then, and gives what was wrong.
func (v *varied) change(o *operator, text string, cuts []time.Duration, c *course) []string {
	before, from := v.walls.begin(), v.sim.LoadBalancers()[0].ARN
	v.plans = ""
	got := v.watched(func() {
		for _, after := range cuts {
			c.cuts += o.cut(text, after)
		}
		o.finish(text)
	}, watch{asks: v.asks(), pause: pace, excused: func(a ask, answer string, old, now map[ask]string) string {
		excuse := unavoided
		if v.sim.LoadBalancers()[0].ARN != from {
			excuse = replaced
		}
		if why := excuse(a, answer, old, now); why != "" {
			return why
		}
		if slices.ContainsFunc(exposures(v.plans, v.namesOf), func(e exposure) bool { return e.excuses(a, answer, old, now) }) {
			return exposed
		}
		return ""
	}})
	shut, states := v.walls.end(before)
	for _, e := range exposures(v.plans, v.namesOf) {
		shut = slices.DeleteFunc(shut, func(w string) bool { return e.opened != "" && strings.Contains(w, ":"+e.opened+" is open ") })
	}
	c.sent, c.states = c.sent+got.sent, c.states+states
	c.replaced += ones(v.sim.LoadBalancers()[0].ARN != from)
	c.imported += ones(strings.Contains(v.plans, "ImportCertificate"))
	c.exposed += ones(strings.Contains(v.plans, "! exposed: "))
	c.excuses.add(got.excuses)
	return slices.Concat(got.wrong, shut)
}

func ones(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// restarts are when operators end while a change is made, each after so long: none, or up to two.
func restarts(r *rand.Rand) []time.Duration {
	var out []time.Duration
	for range r.IntN(3) {
		out = append(out, time.Duration(r.IntN(pick(r, 3, 15)*int(longestRun))))
	}
	return out
}

// TestChangesOfSettings holds invariant 4 where everything else changes: target types, listeners and their protocols, certificates that are
// named or in Secrets, security groups, classes, and the scheme, with which the load balancer is another one. Clients ask whom the operator
// published last. Half of it is at quotas that leave no room, where plans name who is exposed. Of the changes two in three are cut and taken over by
// an operator that knows nothing but what is written down.
func TestChangesOfSettings(t *testing.T) {
	t.Parallel()
	pairs, seed := number(t, "pairs"), number(t, "seed")
	if pairs < fullRun {
		pairs /= 4 // such a change takes four times as long as one of rules
	}
	all := make([]course, stages)
	t.Cleanup(func() {
		if one, two := all[0], all[1]; one.replaced+two.replaced == 0 || one.imported+two.imported == 0 || two.exposed == 0 {
			t.Error("something was never changed: the property proves nothing")
		}
	})
	for i, quotas := range []elb.Quotas{{}, narrow()} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), uint64(200+i)))
			v := newVaried(t, quotas)
			o := v.newLaneOperator()
			o.opts.Retention = 2 * time.Minute
			o.restart()
			was := v.draw(r)
			o.apply(was)
			seen := course{excuses: tally{}}
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("it began with\n%s", keys.ReplaceAllString(was, ""))
				}
			})
			for n := range pairs / stages {
				o.now = o.now.Add(time.Hour) // so many load balancers in a row would have somebody look first
				text, cuts := v.draw(r), restarts(r)
				if wrong := v.change(o, text, cuts, &seen); len(wrong) > 0 {
					t.Fatalf("pair %d of -seed %d: %q\n%s\nafter\n%s\nby the plan\n%s", n, seed, wrong, keys.ReplaceAllString(text, ""), keys.ReplaceAllString(was, ""), v.plans)
				}
				was = text
			}
			t.Logf("%d requests and %d states of security groups during %d changes, %d of which were cut; %d replaced the load balancer, %d imported certificates, "+
				"%d exposed somebody; excused: %s",
				seen.sent, seen.states, pairs/stages, seen.cuts, seen.replaced, seen.imported, seen.exposed, seen.excuses)
			all[i] = seen
		})
	}
}

// keys are what of manifests is not printed.
var keys = regexp.MustCompile(`, data: \{tls.*`)

// fullRun is how many pairs are no sample any more.
const fullRun = 100
