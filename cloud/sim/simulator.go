package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/cognito"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/iam"
	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/lattice"
	"github.com/headgate/headgate/cloud/sim/storage"
	"github.com/headgate/headgate/cloud/sim/tagging"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/cloud/sim/zones"
)

// World names what the seeded network holds.
type World = vpc.World

// Interface is a network interface that a test describes: a node's or a pod's.
type Interface = vpc.Interface

// LoadBalancer is a load balancer in few words.
type LoadBalancer = elb.Summary

// Simulator is an AWS account at work. Its methods are safe for concurrent use.
type Simulator struct {
	options Options
	calls   *recorder
	targets *addressTable
	hosts   *hostTable
	traffic *traffic
	names   *nameServer
	server  *http.Server
	url     string
	stop    context.CancelFunc
	// claim is what keeps other simulators from the address pool.
	claim net.Listener
	done  sync.WaitGroup
	hub   *hub
	// stopped is closed when the simulator ends.
	stopped <-chan struct{}

	// mu guards the services: one call at a time.
	mu      sync.Mutex
	account *account.Account
	network *vpc.Network
	certs   *cert.Store
	objects *storage.Store
	elb     *elb.State
	mesh    *lattice.Mesh
	pools   *cognito.Pools
	domains *zones.Zones
	tags    *tagging.Index
	// directory holds the certificates of IAM.
	directory *iam.Directory
	// tokens holds the sessions of roles.
	tokens   *identity.Tokens
	services []wire.Service
	// dumps show what services hold, by their signing names.
	dumps map[string]func() any
	world World
	// disturber makes calls fail, wait and see late.
	disturber *disturber
	// doomed is how what the present call begins ends; nil is well.
	doomed  *fault.Fault
	journal journal
}

// New starts a simulator. It must be closed.
func New(o Options) (*Simulator, error) {
	given := o.AddressPool
	o, err := o.orDefaults()
	if err != nil {
		return nil, err
	}
	s := &Simulator{options: o, calls: newRecorder(), targets: newAddressTable(), hosts: &hostTable{}, hub: newHub()}
	if err := s.SetAddresses(pointers(o.Addresses)); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.stopped = stop, ctx.Done()
	if o.DataPlane {
		s.traffic = newTraffic(s)
		if err := s.claimPool(ctx, given); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.fill()
	if s.disturber, err = s.newDisturber(o.Disturbances); err != nil {
		// There is nothing to save yet, and a file that is there stays.
		s.options.Snapshot = ""
		return nil, errors.Join(err, s.Close())
	}
	if err := s.loadFile(); err != nil {
		// What cannot be read is not to be written over.
		s.options.Snapshot = ""
		return nil, errors.Join(err, s.Close())
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func pointers(addresses map[string]string) map[string]*string {
	all := make(map[string]*string, len(addresses))
	for k, v := range addresses {
		all[k] = &v
	}
	return all
}

// fill makes the services as they are at the start.
func (s *Simulator) fill() {
	o := s.options
	s.account = &account.Account{ID: o.Account, Region: o.Region, Partition: partition(o.Region), Now: o.Now, Speed: o.Speed}
	s.network = vpc.New(s.account)
	s.network.Quotas = o.NetworkQuotas.Over(s.network.Quotas)
	s.certs = cert.New(s.account)
	s.objects = storage.New(s.account)
	s.pools, s.directory = cognito.New(s.account), iam.New(s.account)
	s.world = World{}
	if !o.EmptyWorld {
		s.world = s.network.Seed(o.ClusterName)
	}
	balancing := elb.Options{
		Provisioning: o.Provisioning, Linger: o.Linger, Check: o.TargetCheck, AllowLoopbackTargets: o.AllowLoopbackTargets,
		Addresses: o.AddressPool, Quotas: o.Quotas, Bundles: s.objects,
		ServerCertificates: s.directory, UserPools: s.pools, TrustStore: o.TrustStoreCreation, Capacity: o.CapacityProvisioning,
		ConstrainedZones: o.ConstrainedZones,
	}
	if s.traffic != nil {
		balancing.Health = s.traffic.health
	}
	s.elb = elb.New(s.account, s.network, s.certs, balancing)
	s.services, s.dumps = nil, map[string]func() any{}
	for _, one := range s.offer() {
		service := one.Service()
		s.services = append(s.services, service)
		if holder, ok := one.(interface{ Dump() any }); ok {
			s.dumps[service.Name] = holder.Dump
		}
	}
	s.journal = journal{}
}

func partition(region string) string {
	const prefix = 3
	if len(region) > prefix {
		switch region[:prefix] {
		case "cn-":
			return "aws-cn"
		case "us-":
			if len(region) > len("us-gov-") && region[:len("us-gov-")] == "us-gov-" {
				return "aws-us-gov"
			}
		}
	}
	return "aws"
}

// headerTimeout bounds how long a client may take to send the head of a request.
const headerTimeout = 10 * time.Second

func (s *Simulator) start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.options.Listen)
	if err != nil {
		return fmt.Errorf("listening for the endpoint: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: headerTimeout}
	s.done.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.Logger.Error("the endpoint stopped", "error", err)
		}
	})
	if s.options.DNS != "" {
		if s.names, err = startNames(ctx, s.options.DNS, s.question); err != nil {
			return err
		}
	}
	if s.traffic != nil {
		s.done.Go(func() { s.traffic.run(ctx) })
	}
	return nil
}

// Close stops everything. The state is lost, unless there is a snapshot file.
func (s *Simulator) Close() error {
	s.stop()
	var errs []error
	if s.server != nil {
		errs = append(errs, s.server.Close())
	}
	errs = append(errs, s.saveFile())
	if s.names != nil {
		errs = append(errs, s.names.close(context.Background()))
	}
	s.done.Wait()
	if s.traffic != nil {
		errs = append(errs, s.traffic.fabric.Close(), s.traffic.plane.Close())
	}
	// The pool is free when nothing listens on its addresses any more.
	if s.claim != nil {
		errs = append(errs, s.claim.Close())
	}
	return errors.Join(errs...)
}

// URL is the endpoint, as in http://127.0.0.1:4566.
func (s *Simulator) URL() string { return s.url }

// DNSAddr is the address of the DNS server, or empty without one.
func (s *Simulator) DNSAddr() string {
	if s.names == nil {
		return ""
	}
	return s.names.address
}

// World gives the identifiers of the seeded network.
func (s *Simulator) World() World {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world
}

// LoadBalancers lists the load balancers with their loopback addresses.
func (s *Simulator) LoadBalancers() []LoadBalancer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.elb.Summaries()
}

// AddNetworkInterface makes or replaces a network interface and gives its identifier.
func (s *Simulator) AddNetworkInterface(i Interface) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	serial := s.account.Serial()
	id, err := s.network.PutInterface(i)
	if err != nil {
		return "", fmt.Errorf("putting network interface %s: %w", i.ID, err)
	}
	s.journal.add(record{At: s.account.Now(), Serial: serial, Interface: &i, InterfaceID: i.ID})
	return id, nil
}

// RemoveNetworkInterface removes a network interface, if it is there and no load balancer owns it.
func (s *Simulator) RemoveNetworkInterface(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network.RemoveInterface(id)
	s.journal.add(record{At: s.account.Now(), Serial: s.account.Serial(), Removed: id})
}

// Reset brings the account back to its start: everything that calls have made is gone, and so are counts and addresses.
func (s *Simulator) Reset() error {
	s.mu.Lock()
	s.fill()
	s.mu.Unlock()
	if err := s.Disturb(s.options.Disturbances); err != nil {
		return err
	}
	s.calls.reset()
	s.targets.clear()
	s.hosts.clear()
	s.changed()
	return s.SetAddresses(pointers(s.options.Addresses))
}

// changed tells the data plane that there may be something new.
func (s *Simulator) changed() {
	if s.traffic != nil {
		s.traffic.wake()
	}
}
