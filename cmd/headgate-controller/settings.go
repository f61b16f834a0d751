package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/cmd/headgate-controller/flags"
	"github.com/headgate/headgate/cmd/headgate-controller/verify"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
)

// settings is what the flags say.
type settings struct {
	wire.Settings

	logLevel string
}

// define declares the flags. Names and defaults are the incumbent's where it has the flag.
func (s *settings) define(fs *flag.FlagSet) {
	s.defineCloud(fs)
	flags.Define(fs, &s.Settings)
	s.defineTargets(fs)
	s.defineWebhooks(fs)
	fs.StringVar(&s.Kubeconfig, "kubeconfig", "", "path of a kubeconfig; empty means the cluster that the operator runs in")
	fs.StringVar(&s.MetricsAddr, "metrics-bind-addr", ":8080", "address of the metrics endpoint; 0 turns it off")
	fs.StringVar(&s.HealthAddr, "health-probe-bind-addr", ":61779", "address of /healthz and /readyz; 0 turns it off")
	fs.BoolVar(&s.LeaderElection, "enable-leader-election", true, "run only while holding the lease")
	fs.StringVar(&s.LeaderID, "leader-election-id", "aws-load-balancer-controller-leader",
		"name of the lease; the incumbent's, so that the two never run together")
	fs.StringVar(&s.LeaderNamespace, "leader-election-namespace", "", "namespace of the lease; empty means the operator's own")
	fs.StringVar(&s.logLevel, "log-level", "info", "info or debug")
	fs.DurationVar(&s.SyncPeriod, "sync-period", 10*time.Hour, "how long a load balancer may go without a comparison with AWS")
	fs.DurationVar(&s.SweepDelay, "sweep-delay", time.Minute, "how long after the start the first comparison may come")
	fs.DurationVar(&s.RuleGrace, "rule-grace-period", 5*time.Minute,
		"how long rules on pods' security groups stay that no target needs any more; as long as targets take to drain")
	fs.IntVar(&s.BreakerPercent, "deletion-breaker-percent", 20,
		"per cent of the load balancers beyond which deletions wait for approval; 100 turns that off")
	fs.IntVar(&s.BreakerLeast, "deletion-breaker-least", 5, "fewest deletions that wait for approval")
	fs.DurationVar(&s.BreakerWindow, "deletion-breaker-window", 10*time.Minute, "time in which deletions are counted together")
	fs.IntVar(&s.TargetBreakerPercent, "deregistration-breaker-percent", 20,
		"per cent of a group's targets beyond which those whose pods run on are not deregistered before somebody approves; 100 turns that off")
	fs.IntVar(&s.TargetBreakerLeast, "deregistration-breaker-least", 5, "fewest such targets that wait for approval")
	fs.DurationVar(&s.TargetBreakerWindow, "deregistration-breaker-window", 10*time.Minute, "time in which such targets are counted together")
	fs.IntVar(&s.IngressWorkers, "ingress-max-concurrent-reconciles", 16, "Ingress groups that are worked on at a time")
	fs.IntVar(&s.GatewayWorkers, "alb-gateway-max-concurrent-reconciles", 16, "Gateways that are worked on at a time")
}

func (s *settings) defineCloud(fs *flag.FlagSet) {
	fs.StringVar(&s.Cluster, "cluster-name", "", "name of the cluster, in tags and names of AWS resources (required)")
	fs.StringVar(&s.Region, "aws-region", "", "AWS region; empty means AWS_DEFAULT_REGION, AWS_REGION, or that of the instance")
	fs.StringVar(&s.VPC, "aws-vpc-id", "", "VPC of the cluster; empty means --aws-vpc-tags, or that of the instance")
	fs.Var(flags.Map{To: &s.VPCTags}, "aws-vpc-tags", "tags (k=v,…) that exactly one VPC has, instead of --aws-vpc-id")
	fs.Var(flags.Map{To: &s.Endpoints}, "aws-api-endpoints", "other endpoints of AWS services: serviceID=URL,…")
	fs.IntVar(&s.MaxRetries, "aws-max-retries", 10, "how often a refused AWS read is tried again")
}

func (s *settings) defineTargets(fs *flag.FlagSet) {
	fs.BoolVar(&s.OpenAllPorts, "disable-restricted-sg-rules", false, "let pods admit all ports from load balancers, not only those in use")
	fs.BoolVar(&s.FailOpen, "endpoints-fail-open", true, "register endpoints that are not ready when none is")
	fs.IntVar(&s.TargetWorkers, "targetgroupbinding-max-concurrent-reconciles", 16, "TargetGroupBindings that are worked on at a time")
	fs.DurationVar(&s.TargetBackoff, "targetgroupbinding-max-exponential-backoff-delay", 1000*time.Second,
		"most time between two tries of what fails for a TargetGroupBinding; never more than 30 seconds")
	fs.DurationVar(&s.TargetPoll, "targetgroupbinding-requeue-duration", 15*time.Second,
		"most time between two looks at targets that are not all healthy")
	fs.DurationVar(&s.TargetPatience, "target-group-patience", 5*time.Minute,
		"how long rules wait for a new target group until as many of its targets are healthy as of the one before it; then they use it all the same")
	fs.DurationVar(&s.TargetHold, "target-group-hold", 10*time.Second,
		"how long a target group stays that no rule uses any more, while that reaches every node of the load balancer; its deregistration delay, in which "+
			"requests end that are under way, comes on top")
	fs.DurationVar(&s.Retention, "replaced-load-balancer-retention", 24*time.Hour,
		"how long a load balancer that is replaced answers after the new one serves, with both addresses published; 0 deletes it when the new one is active")
	fs.DurationVar(&s.MoveHold, "group-move-hold", 2*time.Minute,
		"how long the old group serves an Ingress that moved after the new one does, while clients hear of the new address; negative is not at all")
	fs.IntVar(&s.MaxTargets, "max-targets-per-target-group", 0, "most targets that this cluster registers in a target group; 0 is no bound")
	fs.Var(flags.Map{To: &s.InterfaceTags}, "service-target-eni-security-group-tags",
		"tags (k=v,…) of the security group to change where a target's interface has several, besides that of the cluster")
}

func (s *settings) defineWebhooks(fs *flag.FlagSet) {
	w := &s.Webhooks
	fs.BoolVar(&w.Gates, "enable-pod-readiness-gate-inject", true, "inject readiness gates into the pods of namespaces that ask for them")
	fs.IntVar(&w.Port, "webhook-bind-port", 9443, "port of the webhooks; 0 turns them off")
	fs.StringVar(&w.CertDir, "webhook-cert-dir", "",
		"directory of the webhooks' certificate; empty means the incumbent's, where it is there, or else one that is made and published by itself")
	fs.StringVar(&w.CertName, "webhook-cert-file", "tls.crt", "name of the certificate's file")
	fs.StringVar(&w.KeyName, "webhook-key-file", "tls.key", "name of the key's file")
	fs.StringVar(&w.ClientCA, "kube-ca-pem-filepath", "", "file of the authority that the API server's own certificate must be of; empty asks for none")
}

// errUsage is a mistake in the command line.
var errUsage = errors.New("usage")

// parse reads the command line. A mistake is printed to out and comes back as errUsage.
func parse(args []string, getenv func(string) string, out io.Writer) (*settings, error) {
	s := &settings{}
	fs := flag.NewFlagSet("headgate-controller", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	s.define(fs)
	if name, why := notServed(args); name != "" {
		fmt.Fprintf(out, "headgate-controller: flag --%s of the incumbent is not served: %s: leave it out\n", name, why)
		return nil, errUsage
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(out)
			fs.Usage()
			return nil, flag.ErrHelp
		}
		fmt.Fprintf(out, "headgate-controller: %v; see --help\n", err)
		return nil, errUsage
	}
	if s.Region == "" {
		s.Region = firstOf(getenv("AWS_DEFAULT_REGION"), getenv("AWS_REGION"))
	}
	if problems := s.problems(fs.Args()); len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintf(out, "headgate-controller: %s\n", p)
		}
		return nil, errUsage
	}
	return s, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// problems lists what is wrong or contradictory, each with how to mend it.
func (s *settings) problems(rest []string) []string {
	var out []string
	complain := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	complain(len(rest) > 0, "unexpected argument %q: flags are written --name=value", strings.Join(rest, " "))
	complain(s.Cluster == "", "--cluster-name is required")
	complain(s.VPC != "" && len(s.VPCTags) > 0, "--aws-vpc-id and --aws-vpc-tags exclude each other: leave one out")
	complain(!slices.Contains([]string{"info", "debug"}, s.logLevel), "--log-level is %q: use info or debug", s.logLevel)
	complain(s.Tuning.ManageBackendRules && !s.BackendGroup,
		"--enable-manage-backend-security-group-rules needs --enable-backend-security-group: leave one of the two out")
	complain(s.MaxRetries < 0, "--aws-max-retries is %d: use 0 or more", s.MaxRetries)
	complain(min(s.BreakerPercent, s.BreakerLeast, int(s.BreakerWindow)) < 1, "--deletion-breaker-percent, -least and -window must be more than 0")
	complain(min(s.TargetBreakerPercent, s.TargetBreakerLeast, int(s.TargetBreakerWindow)) < 1,
		"--deregistration-breaker-percent, -least and -window must be more than 0")
	complain(s.SyncPeriod <= 0, "--sync-period is %s: use more than 0", s.SyncPeriod)
	complain(s.IngressWorkers < 1 || s.GatewayWorkers < 1, "the numbers of concurrent reconciles must be 1 or more")
	complain(s.TargetWorkers < 1, "--targetgroupbinding-max-concurrent-reconciles is %d: use 1 or more", s.TargetWorkers)
	complain(s.TargetBackoff <= 0 || s.TargetPoll <= 0, "the durations of --targetgroupbinding-… must be more than 0")
	complain(s.BackendGroupID != "" && !strings.HasPrefix(s.BackendGroupID, "sg-"), "--backend-security-group is %q: write an ID, sg-…", s.BackendGroupID)
	complain(s.BackendGroupID != "" && !s.BackendGroup, "--backend-security-group needs --enable-backend-security-group: leave one of the two out")
	complain(s.Webhooks.Port < 0 || s.Webhooks.Port > 65535, "--webhook-bind-port is %d: use a port, or 0 to turn the webhooks off", s.Webhooks.Port)
	complain(s.MaxTargets < 0, "--max-targets-per-target-group is %d: use 0 or more", s.MaxTargets)
	complain(s.LeaderElection && s.LeaderID == "", "--leader-election-id must not be empty while leader election is on")
	complain(s.MetricsAddr != "0" && port(s.MetricsAddr) != "0" && port(s.MetricsAddr) == port(s.HealthAddr),
		"--metrics-bind-addr and --health-probe-bind-addr have the same port, %s: use two, or 0 to turn one off", port(s.HealthAddr))
	out = append(out, verify.Flags{
		Authority: s.Authority, Authorities: s.Authorities, SecretsLabel: s.SecretsLabel, Bucket: s.Shelf.Bucket, Prefix: s.Shelf.Prefix,
		TargetType: s.TargetType, Scheme: s.Scheme, DefaultTags: s.DefaultTags, ExternalTags: s.ExternalTags, Endpoints: s.Endpoints,
	}.Problems()...)
	slices.Sort(out)
	return out
}

// port of an address; the address itself where it has none.
func port(address string) string {
	return address[strings.LastIndexByte(address, ':')+1:]
}

// incumbentOnly are flags of the incumbent that this operator does not serve, with the reason. They are refused by name, never ignored.
func incumbentOnly() map[string]string {
	service, gateway := "Services of type LoadBalancer are not served yet", "Gateways have one number of workers, --alb-gateway-max-concurrent-reconciles"
	accelerator := "GlobalAccelerators are not served"
	return map[string]string{
		"service-max-concurrent-reconciles":               service,
		"load-balancer-class":                             service,
		"quic-environment-variable-name":                  service,
		"nlb-gateway-max-concurrent-reconciles":           gateway,
		"gateway-class-max-concurrent-reconciles":         gateway,
		"globalaccelerator-max-concurrent-reconciles":     accelerator,
		"globalaccelerator-max-exponential-backoff-delay": accelerator,
		"lb-stabilization-monitor-interval":               "Headgate paces its looks at what waits for AWS by itself",
		"aws-vpc-tag-key":                                 "write --aws-vpc-tags=<key>=<value>",
		"aws-api-throttle":                                "the pace of calls follows what AWS allows",
	}
}

// notServed finds a flag that is not served, and why.
func notServed(args []string) (flag, why string) {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if why, ok := incumbentOnly()[name]; ok {
			return name, why
		}
	}
	return "", ""
}
