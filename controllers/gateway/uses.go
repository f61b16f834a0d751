package gateway

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// configName names a configuration: a LoadBalancerConfiguration, TargetGroupConfiguration or ListenerRuleConfiguration.
type configName struct {
	types.NamespacedName

	kind string
}

// uses are the configurations that a Gateway uses, itself or by its class or routes: as long as it is there, although it is being
// deleted or its class is lost. One that is not ours uses none.
func (v *Verdict) uses() map[configName]bool {
	s := v.snapshot
	if s.Gateway == nil || !s.Ours && (s.Class != nil || !controllerutil.ContainsFinalizer(s.Gateway, Finalizer)) {
		return nil
	}
	t := v.translator
	if t == nil {
		t = &translator{snapshot: s, config: mergeConfigs(s.ClassConfig, s.GatewayConfig), used: map[*awsgwv1.TargetGroupConfiguration]bool{}}
		for i := range s.Routes {
			t.resolve(&s.Routes[i])
		}
	}
	out := map[configName]bool{}
	for _, p := range t.config.parts {
		out[configName{types.NamespacedName{Namespace: p.object.Namespace, Name: p.object.Name}, p.object.Kind}] = true
	}
	if d := t.config.defaultGroup(); d != nil {
		out[configName{*d, awsgwv1.KindTargetGroupConfiguration}] = true
	}
	for g := range t.used {
		out[configName{types.NamespacedName{Namespace: g.Namespace, Name: g.Name}, awsgwv1.KindTargetGroupConfiguration}] = true
	}
	for i := range s.Routes {
		for _, name := range extensions(&s.Routes[i]) {
			out[name] = true
		}
	}
	return out
}

// resolve looks the backends of a route up, and so the configurations of their target groups.
func (t *translator) resolve(route *route) {
	for _, rule := range route.Spec.Rules {
		for _, b := range rule.BackendRefs {
			t.backend(route, b.BackendRef)
		}
	}
}

// extensions are the ListenerRuleConfigurations that a route names.
func extensions(route *route) []configName {
	var out []configName
	for _, rule := range route.Spec.Rules {
		for _, f := range rule.Filters {
			if x := f.ExtensionRef; x != nil && x.Group == awsgwv1.Group && x.Kind == awsgwv1.KindListenerRuleConfiguration {
				out = append(out, configName{types.NamespacedName{Namespace: route.Namespace, Name: string(x.Name)}, string(x.Kind)})
			}
		}
	}
	return out
}

// extensionAt is the ListenerRuleConfiguration that a filter of a route at a field names; without a name where it is another one.
func extensionAt(route *route, field string) types.NamespacedName {
	for i, rule := range route.Spec.Rules {
		for k, f := range rule.Filters {
			if fmt.Sprintf("spec.rules[%d].filters[%d]", i, k) == field {
				return extensionOf(route.Namespace, f)
			}
		}
	}
	return types.NamespacedName{}
}

// ledger holds in memory which configurations each Gateway uses. After a start it is complete when every Gateway was looked at once.
type ledger struct {
	mu sync.Mutex
	// uses of the Gateways that were looked at.
	uses map[types.NamespacedName]map[configName]bool
	// found is what became of these configurations by each Gateway, as far as it got.
	found map[types.NamespacedName]map[configName]standing
	// unseen are Gateways that were not, as far as somebody asked, and asking the configurations that wait for them.
	unseen map[types.NamespacedName]bool
	asking map[configName]bool
	// wake has a configuration reconciled again, by kind.
	wake map[string]func(types.NamespacedName)
}

func newLedger() *ledger {
	return &ledger{
		uses: map[types.NamespacedName]map[configName]bool{}, found: map[types.NamespacedName]map[configName]standing{},
		unseen: map[types.NamespacedName]bool{},
		asking: map[configName]bool{}, wake: map[string]func(types.NamespacedName){},
	}
}

// note notes what a Gateway uses now, and wakes the configurations for which that is new.
func (l *ledger) note(gateway types.NamespacedName, now map[configName]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.uses[gateway]
	l.uses[gateway] = now
	for name := range before {
		if !now[name] {
			l.rouse(name)
		}
	}
	for name := range now {
		if !before[name] {
			l.rouse(name)
		}
	}
	l.see(gateway)
}

// forget drops a Gateway that is gone.
func (l *ledger) forget(gateway types.NamespacedName) {
	l.note(gateway, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.uses, gateway)
	delete(l.found, gateway)
}

// hear notes what became of the configurations that a Gateway uses, and wakes those for which that is new.
func (l *ledger) hear(gateway types.NamespacedName, found map[configName]standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.found[gateway]
	for name, now := range found {
		was := before[name]
		if now.failed && was.judged == now.judged {
			now = was
		}
		if now.applied == 0 {
			now.applied = was.applied
		}
		now.failed = false
		found[name] = now
		if !reflect.DeepEqual(now, was) {
			l.rouse(name)
		}
	}
	l.found[gateway] = found
}

// standings are what became of a configuration by each Gateway that uses it, by name. One that has not come so far has an empty one.
func (l *ledger) standings(name configName) []standing {
	users := l.users(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]standing, 0, len(users))
	for _, gateway := range users {
		out = append(out, l.found[gateway][name])
	}
	return out
}

// see tells those who asked too early to ask again when the last Gateway was looked at.
func (l *ledger) see(gateway types.NamespacedName) {
	delete(l.unseen, gateway)
	if len(l.unseen) > 0 {
		return
	}
	for name := range l.asking {
		l.rouse(name)
	}
	clear(l.asking)
}

func (l *ledger) rouse(name configName) {
	if wake := l.wake[name.kind]; wake != nil {
		wake(name.NamespacedName)
	}
}

// onWake says how configurations of a kind are reconciled again.
func (l *ledger) onWake(kind string, wake func(types.NamespacedName)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake[kind] = wake
}

// users are the Gateways that use a configuration, by name.
func (l *ledger) users(name configName) []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []types.NamespacedName
	for gateway, uses := range l.uses {
		if uses[name] {
			out = append(out, gateway)
		}
	}
	slices.SortFunc(out, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// unused tells whether none of all Gateways uses a configuration. While it cannot know, the configuration is woken when it can.
func (l *ledger) unused(name configName, all []types.NamespacedName) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.unseen)
	for _, gateway := range all {
		uses, seen := l.uses[gateway]
		if uses[name] {
			return false
		}
		if !seen {
			l.unseen[gateway] = true
		}
	}
	if len(l.unseen) > 0 {
		l.asking[name] = true
	}
	return len(l.unseen) == 0
}
