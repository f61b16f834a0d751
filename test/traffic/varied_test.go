package traffic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

// varied is a stage whose Ingress has other settings each time.
type varied struct {
	*stage
	walls *walls
	// certificates are ARNs, groups the IDs of security groups of the user's.
	certificates, groups []string
}

// doors are the ports of listeners.
func doors() []int32 { return []int32{80, 443, 8443} }

// newVaried is a stage with nodes, certificates and security groups.
func newVaried(t *testing.T) *varied {
	t.Helper()
	s := newStage(t, delayed())
	s.credulous = true
	v := &varied{stage: s, walls: &walls{stage: s}}
	s.transport = v.walls
	s.connect()
	for _, names := range [][]string{
		{"s.example.com"}, {"t.example.com"}, {"*.example.com"}, {"s.example.com", "t.example.com"}, {"example.org"}, {"*.example.com", "example.org"},
	} {
		made, err := selfsigned.New(names...)
		if err != nil {
			t.Fatal(err)
		}
		arn, err := made.Import(t.Context(), s.sim.AWSConfig())
		if err != nil {
			t.Fatal(err)
		}
		v.certificates = append(v.certificates, arn)
	}
	network := ec2.NewFromConfig(s.sim.AWSConfig())
	for _, block := range []string{"0.0.0.0/0", "192.0.2.0/24"} {
		v.groups = append(v.groups, v.wall(network, block))
	}
	v.settle(network)
	return v
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

// draw is an Ingress by chance, with its class.
func (v *varied) draw(r *rand.Rand) string {
	settings := []string{
		"target-type: " + pick(r, "ip", "instance"), "backend-protocol: " + pick(r, "HTTP", "HTTP", "HTTPS"),
		"healthcheck-interval-seconds: 5", "healthcheck-timeout-seconds: 2",
		`actions.tea: {"type":"fixed-response","fixedResponseConfig":{"contentType":"text/plain","statusCode":"200","messageBody":"tea"}}`,
	}
	ports, secure := v.ports(r)
	settings = append(settings, "listen-ports: "+ports)
	if secure {
		settings = append(settings, "certificate-arn: "+strings.Join(v.some(r, v.certificates), ","))
		settings = append(settings, "ssl-policy: "+pick(r, "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"))
	}
	settings = append(settings, v.admission(r)...)
	var rules []string
	for _, name := range v.some(r, []string{"s.example.com", "t.example.com", "*.example.com"}) {
		var paths []string
		for range 1 + r.IntN(2) {
			paths = append(paths, pick(r, "Exact", "Prefix")+" "+pick(r, "/", "/x")+" "+pick(r, "a", "b", "c", "a:81", "@tea"))
		}
		rules = append(rules, host(name, paths...))
	}
	class, text := v.class(r)
	return text + strings.Replace(web(settings, rules, pick(r, "", "a", "@tea")), "ingressClassName: alb", "ingressClassName: "+class, 1)
}

// some are a few of all, at least one, in any order.
func (*varied) some(r *rand.Rand, all []string) []string {
	var out []string
	for _, i := range r.Perm(len(all))[:1+r.IntN(min(3, len(all)))] {
		out = append(out, all[i])
	}
	return out
}

// ports are listeners by chance, and whether one of them needs a certificate.
func (*varied) ports(r *rand.Rand) (text string, secure bool) {
	var out []string
	for _, port := range doors() {
		protocol := pick(r, "HTTP", "HTTPS", "HTTPS", "")
		if protocol == "" {
			continue
		}
		secure = secure || protocol == "HTTPS"
		out = append(out, fmt.Sprintf(`{"%s":%d}`, protocol, port))
	}
	if len(out) == 0 {
		return `[{"HTTP":80}]`, false
	}
	return "[" + strings.Join(out, ",") + "]", secure
}

// admission says who may connect: security groups of the user's, or ranges.
func (v *varied) admission(r *rand.Rand) []string {
	switch r.IntN(5) {
	case 0:
		return []string{"security-groups: " + strings.Join(v.some(r, v.groups), ",")}
	case 1:
		return []string{"security-groups: " + strings.Join(v.some(r, v.groups), ","), `manage-backend-security-group-rules: true`}
	case 2:
		return []string{"inbound-cidrs: " + strings.Join(v.some(r, []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}), ",")}
	}
	return nil
}

// class is one of the classes by chance, with what it says this time.
func (v *varied) class(r *rand.Rand) (name, text string) {
	name = pick(r, "alb", "blue", "green")
	if name == "alb" {
		return name, ""
	}
	spec := []string{"targetType: " + pick(r, "ip", "instance")}
	if r.IntN(2) == 0 {
		spec = append(spec, "inboundCIDRs: ["+strings.Join(v.some(r, []string{"192.0.2.0/24", "198.51.100.0/24"}), ", ")+"]")
	}
	if r.IntN(2) == 0 {
		spec = append(spec, `certificateArn: ["`+strings.Join(v.some(r, v.certificates), `", "`)+`"]`)
	}
	return name, fmt.Sprintf(`---
{apiVersion: elbv2.k8s.aws/v1beta1, kind: IngressClassParams, metadata: {name: %[1]s}, spec: {%[2]s}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: %[1]s}, spec: {controller: ingress.k8s.aws/alb,
  parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: %[1]s}}}
`, name, strings.Join(spec, ", "))
}

// TestChangesOfSettings holds invariant 4 where everything else changes: target types, listeners and their protocols, certificates, security
// groups, classes. Every third change is cut and taken over by an operator that knows nothing but what is written down.
func TestChangesOfSettings(t *testing.T) {
	t.Parallel()
	pairs, seed := number(t, "pairs"), number(t, "seed")
	if pairs < fullRun {
		pairs /= 3 // such a change takes three times as long as one of rules
	}
	for i := range stages {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), uint64(200+i)))
			v := newVaried(t)
			o := v.newLaneOperator()
			o.apply(v.draw(r))
			sent, cuts, states, excuses := 0, 0, 0, tally{}
			for n := range pairs / stages {
				text := v.draw(r)
				before := v.walls.begin()
				got := v.watched(func() {
					if r.IntN(3) == 0 {
						cuts += o.cut(text, time.Duration(r.IntN(int(3*longestRun))))
					}
					o.apply(text)
				}, watch{asks: v.asks(), pause: pace, excused: unavoided})
				shut, looks := v.walls.end(before)
				sent, states = sent+got.sent, states+looks
				excuses.add(got.excuses)
				if wrong := slices.Concat(got.wrong, shut); len(wrong) > 0 {
					t.Fatalf("pair %d of -seed %d: %q\n%s\nby the plan\n%s", n, seed, wrong, text, v.plans)
				}
			}
			t.Logf("%d requests and %d states of security groups during %d changes, %d of which were cut; excused: %s", sent, states, pairs/stages, cuts, excuses)
		})
	}
}

// reading is an answer in its parts: what was said, by whichever port, and whether the certificate was for another name. Who did not get
// through, for the port is closed or speaks another protocol, was told nothing.
type reading struct {
	said   string
	astray bool
}

func read(answer string) reading {
	said, astray := strings.CutSuffix(answer, noTrust)
	if strings.HasPrefix(said, noConnection) || said == "400 text/html" {
		return reading{}
	}
	for _, port := range doors() {
		said = strings.Replace(said, fmt.Sprintf(".example.com:%d/", port), ".example.com/", 1)
	}
	return reading{said, astray}
}

// trusted tells whether a client got an answer with a certificate for the name.
func (r reading) trusted() bool { return r.said != "" && !r.astray }

// or is the reading of another answer where nothing was said.
func (r reading) or(other string) reading {
	if r.said == "" {
		return read(other)
	}
	return r
}

// peer is the same request by the other protocol.
func (a ask) peer() ask {
	if to := strings.Replace(a.to, " http:", " https:", 1); to != a.to {
		return ask{to: to}
	}
	return ask{to: strings.Replace(a.to, " https:", " http:", 1)}
}

// fullRun is how many pairs are no sample any more.
const fullRun = 100

// unavoided excuses what docs/design/planning.md says of a listener ("Listeners"): what it speaks, its certificates and its answers change one
// after the other, and one that is new has no rules at first.
func unavoided(a ask, answer string, old, now map[ask]string) string {
	if excuse := unmissed(a, answer, old, now); excuse != "" {
		return excuse
	}
	got, was, is := read(answer), read(old[a]), read(now[a])
	before, after := was.or(old[a.peer()]), is.or(now[a.peer()])
	switch {
	case got.said == "" && (was.said == "" || is.said == ""):
		return "no connection, as before or after"
	case got.astray && was.trusted() && is.trusted():
		return "" // a certificate that neither would show
	case got.said == before.said || got.said == after.said:
		return "the answer of before or after, by another protocol or certificate"
	case before.said == "" && (got.said == nobodyHome || got.said == noTargets):
		return "a port that is new"
	}
	return ""
}
