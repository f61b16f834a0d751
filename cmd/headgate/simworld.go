package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
)

// worldFlags are the flags that say what the simulated account and its surroundings are like.
type worldFlags struct {
	quotas, addresses map[string]string
	roots             string
}

func (f *worldFlags) add(command *cobra.Command, o *sim.Options) {
	flags := command.Flags()
	flags.StringVar(&o.AccessLogs, "access-logs", "", "directory that stands for S3, a directory in it for each bucket that load balancers write logs to; "+
		"no logs without it")
	flags.StringToStringVar(&f.quotas, "quota", nil, "quotas that AWS would raise, as RulesPerLoadBalancer=200,Addresses=50: "+
		strings.Join(slices.Sorted(maps.Keys(quotasOf(&sim.Options{}))), ", "))
	flags.DurationVar(&o.TrustStoreCreation, "trust-store-creation", 0, "how long a trust store cannot be used yet (default 5s, negative for none)")
	flags.DurationVar(&o.CapacityProvisioning, "capacity-provisioning", 0, "how long a capacity reservation is pending (default 2m, negative for none)")
	flags.DurationVar(&o.FirewallPropagation, "firewall-propagation", 0, "how long a new web ACL cannot be associated (default none)")
	flags.StringSliceVar(&o.ConstrainedZones, "constrained-zone", nil, "zone that takes no more load balancers, as us-west-2a; may be given more than once")
	flags.StringToStringVar(&f.addresses, "address", nil, "where targets and hosts really are, as 10.0.1.15:8080=127.0.0.1:34567 or "+
		"idp.example.com=127.0.0.1:8443; as PUT /_sim/addresses")
	flags.StringVar(&f.roots, "identity-roots", "", "file with certificates in PEM that vouch for identity providers; any certificate is believed without it")
}

// apply turns the flags into options.
func (f *worldFlags) apply(o *sim.Options) error {
	for name, text := range f.quotas {
		field, ok := quotasOf(o)[name]
		number, err := strconv.Atoi(text)
		if !ok || err != nil || number < 1 {
			return fmt.Errorf("--quota %s=%s: %w", name, text, errQuota)
		}
		field.SetInt(int64(number))
	}
	o.Addresses = f.addresses
	if f.roots == "" {
		return nil
	}
	document, err := os.ReadFile(f.roots)
	if err != nil {
		return fmt.Errorf("reading --identity-roots: %w", err)
	}
	o.IdentityRoots = x509.NewCertPool()
	if !o.IdentityRoots.AppendCertsFromPEM(document) {
		return fmt.Errorf("reading --identity-roots %s: %w", f.roots, errNoCertificate)
	}
	return nil
}

var (
	errQuota         = errors.New("no such quota, or no number above zero; headgate sim --help names the quotas")
	errNoCertificate = errors.New("there is no certificate in PEM in it")
)

// quotasOf gives the quotas of options by their names.
func quotasOf(o *sim.Options) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for _, quotas := range []any{&o.Quotas, &o.NetworkQuotas} {
		held := reflect.ValueOf(quotas).Elem()
		for i := range held.NumField() {
			all[held.Type().Field(i).Name] = held.Field(i)
		}
	}
	return all
}
