package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
)

// simFlags are the flags that make the simulator inconvenient.
type simFlags struct {
	file, policy, latency string
	faults                []string
	throttle              bool
	lists, names          time.Duration
	seed                  uint64
}

func (f *simFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.file, "faults", "", "file with a document as for PUT /_sim/faults; the flags below add to it")
	flags.StringArrayVar(&f.faults, "fault", nil, "calls that fail, as action=CreateRule,nth=3 or kind=write,every=7,when=after,code=Throttling,status=400 "+
		"or service=ec2,chance=0.1,times=5,cut; may be given more than once")
	flags.StringVar(&f.latency, "latency", "", "how long calls take, as read=40ms,write=150ms,ec2=60ms,elasticloadbalancing:CreateRule=1s")
	flags.BoolVar(&f.throttle, "throttle", false, "refuse calls that are too many, by AWS's token buckets")
	flags.DurationVar(&f.lists, "consistency", 0, "how long a created thing is not yet in lists, and a tag not in the tagging API")
	flags.DurationVar(&f.names, "consistency-names", 0, "how long a created thing is not yet found by its ARN or identifier")
	flags.Uint64Var(&f.seed, "seed", 0, "number that makes what happens by chance happen otherwise")
	flags.StringVar(&f.policy, "policy", "", "file with an IAM policy; what it does not allow is denied")
}

// apply turns the flags into options.
func (f *simFlags) apply(o *sim.Options) error {
	d := &o.Disturbances
	o.Seed = f.seed
	if f.file != "" {
		document, err := os.ReadFile(f.file)
		if err != nil {
			return fmt.Errorf("reading --faults: %w", err)
		}
		if err := d.Merge(document); err != nil {
			return fmt.Errorf("reading --faults %s: %w", f.file, err)
		}
	}
	for _, text := range f.faults {
		one, err := fault.ParseFault(text)
		if err != nil {
			return fmt.Errorf("reading --fault: %w", err)
		}
		d.Faults = append(d.Faults, one)
	}
	return f.applyRest(d)
}

func (f *simFlags) applyRest(d *sim.Disturbances) error {
	if f.latency != "" {
		latency, err := fault.ParseLatency(f.latency)
		if err != nil {
			return fmt.Errorf("reading --latency: %w", err)
		}
		d.Latency = latency
	}
	if f.throttle {
		d.Throttling = fault.AWS()
	}
	if f.lists != 0 || f.names != 0 {
		d.Consistency = sim.Consistency{Lists: fault.Duration(f.lists), Names: fault.Duration(f.names)}
	}
	if f.policy != "" {
		document, err := os.ReadFile(f.policy)
		if err != nil {
			return fmt.Errorf("reading --policy: %w", err)
		}
		d.Policy = document
	}
	return nil
}
