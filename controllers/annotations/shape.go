package annotations

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Ports is the value of listen-ports: objects that each name a protocol and its port.
type Ports []map[string]int

// Port is a port with its protocol.
type Port struct {
	// Protocol is HTTP or HTTPS.
	Protocol string
	Number   int
}

// All are the ports by number.
func (p Ports) All() []Port {
	var out []Port
	for _, entry := range p {
		for _, protocol := range slices.Sorted(maps.Keys(entry)) {
			out = append(out, Port{Protocol: protocol, Number: entry[protocol]})
		}
	}
	slices.SortStableFunc(out, func(a, b Port) int { return a.Number - b.Number })
	return slices.Compact(out)
}

// Validate holds the rules of listen-ports.
func (p Ports) Validate() error {
	seen := map[int]string{}
	for _, port := range p.All() {
		if port.Protocol != "HTTP" && port.Protocol != "HTTPS" {
			return fmt.Errorf("protocol %s is not known: write HTTP or HTTPS", quote(port.Protocol))
		}
		if port.Number < 1 || port.Number > maxPort {
			return fmt.Errorf("port %d is out of bounds: write 1 to %d", port.Number, maxPort)
		}
		if other, ok := seen[port.Number]; ok && other != port.Protocol {
			return fmt.Errorf("port %d is given to both %s and %s: a port has one protocol", port.Number, other, port.Protocol)
		}
		seen[port.Number] = port.Protocol
	}
	if len(seen) == 0 {
		return errors.New(`names no port: write it as [{"HTTP":80},{"HTTPS":443}]`)
	}
	return nil
}

// The types of transforms.
const (
	TransformURL  = "url-rewrite"
	TransformHost = "host-header-rewrite"
)

// TransformList is the value of transforms.<service>.
type TransformList []Transform

// Transform rewrites a request before it is forwarded.
type Transform struct {
	Type string         `json:"type"`
	URL  *RewriteConfig `json:"urlRewriteConfig"`
	Host *RewriteConfig `json:"hostHeaderRewriteConfig"`
}

// RewriteConfig is the rewrites of a transform.
type RewriteConfig struct {
	Rewrites []Rewrite `json:"rewrites"`
}

// Rewrite replaces what a regular expression matches.
type Rewrite struct {
	Regex   string `json:"regex"`
	Replace string `json:"replace"`
}

// Rewrite of the transform's type.
func (t Transform) Rewrite() (Rewrite, bool) {
	config := t.URL
	if t.Type == TransformHost {
		config = t.Host
	}
	if config == nil || len(config.Rewrites) != 1 {
		return Rewrite{}, false
	}
	return config.Rewrites[0], true
}

// Validate holds the rules of the transforms.
func (l TransformList) Validate() error {
	seen := map[string]bool{}
	for i, t := range l {
		if t.Type != TransformURL && t.Type != TransformHost {
			return fmt.Errorf("transform %d: type %s is not known: write %s or %s", i, quote(t.Type), TransformURL, TransformHost)
		}
		if seen[t.Type] {
			return fmt.Errorf("transform %d: a rule has one %s at most", i, t.Type)
		}
		seen[t.Type] = true
		r, ok := t.Rewrite()
		if !ok || r.Regex == "" {
			return fmt.Errorf("transform %d: its config needs exactly one rewrite with a regex", i)
		}
		if _, err := regexp.Compile(r.Regex); err != nil {
			return fmt.Errorf("transform %d: %s is no regular expression: correct it", i, quote(r.Regex))
		}
	}
	return nil
}
