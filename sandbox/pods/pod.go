package pods

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/headgate/headgate/sandbox/echo"
)

// drainTime is how long answers under way may take when a pod stops.
const drainTime = 5 * time.Second

// pod is a pod that runs. One worker at a time uses it.
type pod struct {
	uid        types.UID
	node       *node
	address    netip.Addr
	claimed    bool // the address was taken from the node's block
	attached   bool
	started    metav1.Time
	ending     time.Time // when its deletion was seen, zero before
	containers []*container
	// ports that are served, and the loopback address that stands for each.
	ports map[portKey]string
}

// container is a container that runs.
type container struct {
	name string
	echo *echo.Echo
	logs *logbook
	// speaks says what its ports speak; a port that it does not name is not served. Nil takes any port.
	speaks map[int32]echo.Kind
	// declared are the ports of its spec.
	declared map[portKey]bool
}

type portKey struct {
	number   int32
	protocol corev1.Protocol
}

// wantedPorts are those that a pod declares and those that services send traffic to.
func wantedPorts(object *corev1.Pod, services []*corev1.Service) []portKey {
	seen := map[portKey]bool{}
	var wanted []portKey
	add := func(number int32, protocol corev1.Protocol) {
		if protocol == "" {
			protocol = corev1.ProtocolTCP
		}
		key := portKey{number, protocol}
		if number > 0 && !seen[key] && protocol != corev1.ProtocolSCTP {
			seen[key] = true
			wanted = append(wanted, key)
		}
	}
	for _, c := range object.Spec.Containers {
		for _, port := range c.Ports {
			add(port.ContainerPort, port.Protocol)
		}
	}
	for _, service := range services {
		for _, port := range service.Spec.Ports {
			add(targetPort(object, port), port.Protocol)
		}
	}
	return wanted
}

// targetPort is the pod's port that a service's port leads to; 0 when the pod has no port of that name.
func targetPort(object *corev1.Pod, port corev1.ServicePort) int32 {
	if port.TargetPort.Type == intstr.Int {
		if port.TargetPort.IntVal == 0 {
			return port.Port
		}
		return port.TargetPort.IntVal
	}
	for _, c := range object.Spec.Containers {
		for _, declared := range c.Ports {
			if declared.Name == port.TargetPort.StrVal {
				return declared.ContainerPort
			}
		}
	}
	return 0
}

func (r *Runner) servicesOf(object *corev1.Pod) ([]*corev1.Service, error) {
	all, err := r.services.Services(object.Namespace).List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("listing services: %w", err)
	}
	var selecting []*corev1.Service
	for _, service := range all {
		if len(service.Spec.Selector) > 0 && labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(object.Labels)) {
			selecting = append(selecting, service)
		}
	}
	return selecting, nil
}

// listen serves the wanted ports that are not served yet, and returns where they are reached.
func (p *pod) listen(ctx context.Context, wanted []portKey) (map[string]*string, error) {
	added := map[string]*string{}
	for _, key := range append(p.spoken(), wanted...) {
		owner, kind := p.owner(key)
		if _, served := p.ports[key]; served || owner == nil {
			continue
		}
		address, err := owner.echo.Listen(ctx, kind, int(key.number), p.loopback(key))
		if err != nil {
			return added, fmt.Errorf("container %s: %w", owner.name, err)
		}
		p.ports[key] = address
		added[p.target(key)] = &address
	}
	return added, nil
}

// spoken are the ports that containers serve whether anybody names them or not.
func (p *pod) spoken() []portKey {
	var keys []portKey
	for _, c := range p.containers {
		for number, kind := range c.speaks {
			protocol := corev1.ProtocolTCP
			if kind == echo.UDP || kind == echo.DNS {
				protocol = corev1.ProtocolUDP
			}
			keys = append(keys, portKey{number, protocol})
		}
	}
	return keys
}

// owner finds the container that serves a port, and what the port speaks: the one that declares it, else the
// first that takes any.
func (p *pod) owner(key portKey) (*container, echo.Kind) {
	var taker *container
	for _, c := range p.containers {
		if c.speaks != nil {
			if kind, ok := c.speaks[key.number]; ok && (kind == echo.UDP) == (key.protocol == corev1.ProtocolUDP) {
				return c, kind
			}
			continue
		}
		if taker == nil || c.declared[key] && !taker.declared[key] {
			taker = c
		}
	}
	switch {
	case key.protocol != corev1.ProtocolUDP:
		return taker, echo.Any
	case key.number == dnsPort:
		return taker, echo.DNS
	default:
		return taker, echo.UDP
	}
}

const dnsPort = 53

// loopback is where to listen: a TCP and a UDP port of the same number share one entry in the network's table.
func (p *pod) loopback(key portKey) string {
	twin := portKey{key.number, corev1.ProtocolTCP}
	if key.protocol == corev1.ProtocolTCP {
		twin.protocol = corev1.ProtocolUDP
	}
	if address, served := p.ports[twin]; served {
		return address
	}
	return "127.0.0.1:0"
}

// target is the port's address as the cluster knows it.
func (p *pod) target(key portKey) string {
	return net.JoinHostPort(p.address.String(), strconv.Itoa(int(key.number)))
}

// unreachable takes all of the pod's ports out of the network's table.
func (p *pod) unreachable() map[string]*string {
	gone := make(map[string]*string, len(p.ports))
	for key := range p.ports {
		gone[p.target(key)] = nil
	}
	return gone
}

// drain stops the containers, letting answers under way finish.
func (p *pod) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var failures []error
	for _, c := range p.containers {
		failures = append(failures, c.echo.Shutdown(ctx))
		c.logs.close()
	}
	return errors.Join(failures...)
}

// close stops the containers at once.
func (p *pod) close(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return p.drain(ctx)
}
