package gateway

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/headgate/headgate/model"
)

// entryFields are the fields of an entry of listenerConfigurations that a listener is made of, by the JSON names that the intent has.
func entryFields() map[string][]string {
	return map[string][]string{
		"attributes": {"listenerAttributes"}, "sslPolicy": {"sslPolicy"}, "mutualAuth": {"mutualAuthentication"},
		"certificates": {"defaultCertificate", "certificates"},
	}
}

// listenerFields are where the settings of a listener are written, as far as configurations say something of them.
func (c config) listenerFields(l *listener) map[string]string {
	out := map[string]string{}
	for name, field := range map[string]string{"inboundCIDRs": "sourceRanges", "prefixLists": "securityGroupPrefixes"} {
		if at := c.where(field); at != "" {
			out[name] = at
		}
	}
	entry, at := c.entryOf(l)
	for name, fields := range entryFields() {
		for _, field := range fields {
			if at != "" && out[name] == "" && sets(entry, field) {
				out[name] = at + "." + field
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// entryOf is the entry of listenerConfigurations that counts for a listener, and where it is written; empty without one.
func (c config) entryOf(l *listener) (entry reflect.Value, at string) {
	for _, p := range c.parts {
		for i, lc := range p.spec.ListenerConfigurations {
			if lc.ProtocolPort == protocolPort(l) {
				return reflect.ValueOf(lc), fmt.Sprintf("%s spec.listenerConfigurations[%d]", p.object, i)
			}
		}
	}
	return reflect.Value{}, ""
}

// concerns tells whether a finding on the object of a listener is about the listener: what is written there, or in a configuration for it.
func (t *translator) concerns(l *listener, f model.Finding) bool {
	if !f.Object.Same(l.of.ref) {
		return false
	}
	if strings.HasPrefix(f.Field, l.field()) {
		return true
	}
	for _, at := range t.config.listenerFields(l) {
		if at == f.Field {
			return true
		}
	}
	return verifies(t.snapshot.Gateway, l) && f.Field == validationField(t.snapshot.Gateway, l)
}
