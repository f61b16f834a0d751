package wire

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/stack"
)

// door is the Gateway front door, which is shut until the kinds that it needs are installed.
type door struct {
	mgr     ctrl.Manager
	loop    *stack.Loop
	set     Settings
	secrets *secrets
	open    prometheus.Gauge
	// told is why it is shut, as the log has it.
	told string
}

// addGateway turns the Gateway front door on where its kinds are installed, or as soon as they are.
func addGateway(mgr ctrl.Manager, loop *stack.Loop, s Settings, secrets *secrets) error {
	d := &door{mgr: mgr, loop: loop, set: s, secrets: secrets, open: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headgate_gateway_front_door_open", Help: "1 where Gateways are served, 0 while a kind that they need is not installed.",
	})}
	if s.MetricsAddr != "0" {
		if err := metrics.Registry.Register(d.open); err != nil {
			return fmt.Errorf("registering the metric of the Gateway front door: %w", err)
		}
	}
	short, err := gateway.FindShortage(mgr.GetRESTMapper())
	if err != nil {
		return fmt.Errorf("looking for the kinds of the Gateway front door: %w", err)
	}
	if short == nil {
		return d.unlock()
	}
	d.log(*short)
	err = mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		return gateway.Arrive(ctx, s.Arrivals, func() (bool, error) { return d.look(ctx) })
	}))
	if err != nil {
		return fmt.Errorf("waiting for the kinds of the Gateway front door: %w", err)
	}
	return nil
}

// look opens the door where all is there, and else says why it is shut. Where the API server cannot be asked, it is asked again.
func (d *door) look(ctx context.Context) (bool, error) {
	short, err := gateway.FindShortage(d.mgr.GetRESTMapper())
	if err == nil && short == nil {
		ctrl.Log.Info("the Gateway front door is on: its kinds are installed")
		return true, d.unlock()
	}
	if short == nil {
		return false, nil
	}
	d.log(*short)
	if err := short.Tell(ctx, d.mgr.GetAPIReader(), d.mgr.GetClient()); err != nil {
		ctrl.Log.Error(err, "telling GatewayClasses that the Gateway front door is off")
	}
	return false, nil
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
	if err := gateway.NewClass(d.mgr, doors.Gateway).SetupWithManager(d.mgr); err != nil {
		return fmt.Errorf("registering the GatewayClass controller: %w", err)
	}
	front := gateway.New(d.mgr, d.loop, doors.Gateway).WithBooks(d.secrets.book, d.secrets.maps)
	if err := front.SetupWithManager(d.mgr, d.set.GatewayWorkers); err != nil {
		return fmt.Errorf("registering the Gateway front door: %w", err)
	}
	d.open.Set(1)
	return nil
}
