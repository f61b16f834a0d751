package sim_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud/sim"
)

func Example() {
	s, err := sim.New(sim.Options{Speed: 1000})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	client := elb.NewFromConfig(s.AWSConfig())
	out, err := client.CreateLoadBalancer(context.Background(), &elb.CreateLoadBalancerInput{
		Name: aws.String("hello"), Subnets: s.World().PublicSubnets,
	})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(out.LoadBalancers[0].State.Code, s.LoadBalancers()[0].Address)
	// Output: provisioning 127.77.0.1
}
