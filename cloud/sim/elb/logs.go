package elb

import (
	iampolicy "github.com/headgate/headgate/cloud/sim/policy"
)

func logKinds() []string { return []string{"access_logs", "connection_logs", "health_check_logs"} }

// checkLogs refuses logs that could not be written: when they are switched on, or moved, the service writes a test object. A bucket that S3
// does not know is one of somebody else, who is believed to allow it.
func (s *State) checkLogs(lb *loadBalancer, fresh map[string]string) error {
	if s.options.Bundles == nil {
		return nil
	}
	for _, kind := range logKinds() {
		on, bucket, prefix := kind+".s3.enabled", kind+".s3.bucket", kind+".s3.prefix"
		held := lb.attributes
		if fresh[on] != "true" || held[on] == "true" && held[bucket] == fresh[bucket] && held[prefix] == fresh[prefix] {
			continue
		}
		place := fresh[bucket] + "/"
		if fresh[prefix] != "" {
			place += fresh[prefix] + "/"
		}
		if !s.mayLog(lb, fresh[bucket], place+"AWSLogs/"+s.account.ID+"/"+testObject(kind)) {
			return unfit("Access Denied for bucket: %s. Please check S3bucket permission", fresh[bucket])
		}
	}
	return nil
}

func testObject(kind string) string {
	return map[string]string{
		"access_logs": "ELBAccessLogTestFile", "connection_logs": "ELBConnectionLogTestFile", "health_check_logs": "ELBHealthCheckLogTestFile",
	}[kind]
}

// mayLog asks a bucket's policy for the test object (user guides, "Attach a policy to your bucket").
func (s *State) mayLog(lb *loadBalancer, bucket, object string) bool {
	arn := "arn:" + s.account.Partition + ":s3:::"
	who, keys := s.deliverer(lb)
	calls := []iampolicy.Call{{Action: "s3:PutObject", Resource: arn + object, Keys: keys}}
	if isNetwork(lb) {
		calls = append(calls, iampolicy.Call{Action: "s3:GetBucketAcl", Resource: arn + bucket, Keys: keys})
	}
	for _, call := range calls {
		if allowed, known := s.options.Bundles.Permits(bucket, who, call); known && !allowed {
			return false
		}
	}
	return true
}

// deliverer is who writes the logs of a load balancer, with the condition keys of its calls.
func (s *State) deliverer(lb *loadBalancer) (iampolicy.Caller, map[string][]string) {
	keys := map[string][]string{
		"aws:sourceaccount": {s.account.ID}, "aws:securetransport": {"true"}, "s3:x-amz-acl": {"bucket-owner-full-control"},
		"aws:sourcearn": {*lb.LoadBalancerArn},
	}
	if isNetwork(lb) {
		keys["aws:sourcearn"] = []string{s.account.ARN("logs", "delivery")}
		return iampolicy.Caller{"Service": {"delivery.logs.amazonaws.com"}}, keys
	}
	who := iampolicy.Caller{"Service": {"logdelivery.elasticloadbalancing.amazonaws.com"}}
	if id := logAccount(s.account.Region); id != "" {
		who["AWS"] = []string{id, "arn:" + s.account.Partition + ":iam::" + id + ":root"}
	}
	return who, keys
}

// logAccount is the account that writes logs in a Region of before August 2022 (ALB user guide, "Enable access logs").
func logAccount(region string) string {
	return map[string]string{
		"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194", "ca-central-1": "985666609251",
		"eu-central-1": "054676820928", "eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-west-3": "009996457667", "eu-north-1": "897822967062",
		"ap-northeast-1": "582318560864", "ap-northeast-2": "600734575887", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266",
		"ap-south-1": "718504428378", "sa-east-1": "507241528517",
	}[region]
}
