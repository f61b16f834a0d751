package gateway

import (
	"reflect"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model/intent"
)

// serves tells whether the certificates of clients are asked for as an entry for the same listener says: the first one counts, and only
// where there is TLS.
func serves(first, entry awsgwv1.ListenerConfiguration) bool {
	return strings.HasPrefix(string(entry.ProtocolPort), protocolHTTPS+":") &&
		reflect.DeepEqual(first.MutualAuthentication, entry.MutualAuthentication)
}

func restrictsClients(l awsgwv1.ListenerConfiguration) bool {
	return l.MutualAuthentication != nil && l.MutualAuthentication.Mode != awsgwv1.MutualAuthenticationOff
}

// mutual is how the clients of a listener show certificates; nil where nothing is said of it. A port has one way, so nothing is served on it
// that way being missing, whoever's route it is.
func (t *translator) mutual(l *listener) *intent.MutualAuth {
	m := t.config.listenerConfig(l).MutualAuthentication
	if l.Protocol != gwv1.HTTPSProtocolType {
		return nil
	}
	if m == nil || verifies(t.snapshot.Gateway, l) {
		return t.byConfigMaps(l)
	}
	out := &intent.MutualAuth{
		Mode: string(m.Mode), IgnoreExpiry: deref(m.IgnoreClientCertificateExpiry), AdvertiseNames: string(deref(m.AdvertiseTrustStoreCANames)),
		Whole: true, Field: t.config.listenerFields(l)["mutualAuth"],
	}
	setText(&out.TrustStore, m.TrustStore)
	return out
}

// mutualOf is how the clients of a port show certificates now; nil where nothing is said of it.
func (t *translator) mutualOf(good intent.Listener) *intent.MutualAuth {
	for _, l := range t.listeners {
		if l.usable() && int(l.Port) == good.Port && string(l.Protocol) == good.Protocol {
			return t.mutual(l)
		}
	}
	return nil
}
