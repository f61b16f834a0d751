package wire

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/discovery"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/stack"
)

// door is the Gateway front door, which is shut while a kind that it needs is not installed.
type door struct {
	mgr     ctrl.Manager
	loop    *stack.Loop
	set     Settings
	secrets *secrets
	open    prometheus.Gauge
	served  gateway.Catalogue
	latch   *gateway.Latch
	// registered says that its controllers run.
	registered bool
	// told is why it is shut, as the log has it.
	told string
}

// addGateway turns the Gateway front door on where its kinds are installed, or as soon as they are, and off while they are taken away.
func addGateway(mgr ctrl.Manager, loop *stack.Loop, s Settings, secrets *secrets) error {
	d := &door{mgr: mgr, loop: loop, set: s, secrets: secrets, latch: new(gateway.Latch), open: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headgate_gateway_front_door_open", Help: "1 where Gateways are served, 0 while a kind that they need is not installed.",
	})}
	if s.MetricsAddr != "0" {
		if err := metrics.Registry.Register(d.open); err != nil {
			return fmt.Errorf("registering the metric of the Gateway front door: %w", err)
		}
	}
	var err error
	if d.served, err = discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient()); err != nil {
		return fmt.Errorf("asking for the kinds of the Gateway front door: %w", err)
	}
	short, err := gateway.FindShortage(d.served)
	if err != nil {
		return fmt.Errorf("looking for the kinds of the Gateway front door: %w", err)
	}
	if short == nil {
		err = d.unlock()
	} else {
		d.log(*short)
	}
	if err != nil {
		return err
	}
	err = mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		return gateway.Arrive(ctx, s.Arrivals, func() (bool, error) { return false, d.look(ctx) })
	}))
	if err != nil {
		return fmt.Errorf("watching over the kinds of the Gateway front door: %w", err)
	}
	return nil
}

// look opens the door where all is there, and else shuts it and says why. Where the API server cannot be asked, it is asked again.
func (d *door) look(ctx context.Context) error {
	short, err := gateway.FindShortage(d.served)
	switch {
	case err == nil && short == nil:
		return d.admit()
	case short == nil:
		ctrl.Log.V(1).Info("the API server does not say which kinds it serves", "error", err.Error())
		return nil
	}
	d.latch.Shut()
	d.open.Set(0)
	d.log(*short)
	if err := short.Tell(ctx, d.mgr.GetAPIReader(), d.mgr.GetClient()); err != nil {
		ctrl.Log.Error(err, "telling GatewayClasses that the Gateway front door is off")
	}
	return nil
}

// admit opens the door, where it is shut.
func (d *door) admit() error {
	if d.told == "" {
		return nil
	}
	d.told = ""
	ctrl.Log.Info("the Gateway front door is on: its kinds are installed")
	d.latch.Open()
	if !d.registered {
		return d.unlock()
	}
	d.open.Set(1)
	return nil
}

// log logs why the door is shut, once.
func (d *door) log(why gateway.Shortage) {
	if text := why.String(); text != d.told {
		d.told = text
		ctrl.Log.Info("the Gateway front door is off", "why", text)
	}
}

// unlock registers the Gateway front door.
func (d *door) unlock() error {
	doors, err := FrontDoors(d.set)
	if err != nil {
		return err
	}
	if err := gateway.NewClass(d.mgr, doors.Gateway).Behind(d.latch).SetupWithManager(d.mgr); err != nil {
		return fmt.Errorf("registering the GatewayClass controller: %w", err)
	}
	front := gateway.New(d.mgr, d.loop, doors.Gateway).WithBooks(d.secrets.book, d.secrets.maps).Behind(d.latch)
	if err := front.SetupWithManager(d.mgr, d.set.GatewayWorkers); err != nil {
		return fmt.Errorf("registering the Gateway front door: %w", err)
	}
	d.registered = true
	d.open.Set(1)
	return nil
}
