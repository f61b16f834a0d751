package cluster

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	api "k8s.io/client-go/tools/clientcmd/api"
)

const (
	contextName = "headgate-sandbox"
	// Nobody else uses this API server: its clients need not hold back.
	clientQPS   = 500
	clientBurst = 1000
)

func adminConfig(endpoint string, k keys) *rest.Config {
	certificate, key := k.pair(adminPair)
	return &rest.Config{
		Host:            endpoint,
		TLSClientConfig: rest.TLSClientConfig{CAFile: k.ca(), CertFile: certificate, KeyFile: key},
		QPS:             clientQPS,
		Burst:           clientBurst,
	}
}

func writeKubeconfig(path, endpoint string, k keys) error {
	certificate, key := k.pair(adminPair)
	return write(path, endpoint, k.ca(), &api.AuthInfo{ClientCertificate: certificate, ClientKey: key})
}

// WriteTokenKubeconfig writes a kubeconfig that authenticates with a bearer token, such as a service
// account's: whoever uses it has that account's rights and no others.
func (c *Cluster) WriteTokenKubeconfig(path, token string) error {
	return write(path, c.endpoint, c.keys.ca(), &api.AuthInfo{Token: token})
}

// write flattens the files into the kubeconfig, so that it can be copied elsewhere.
func write(path, endpoint, authority string, user *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters[contextName] = &api.Cluster{Server: endpoint, CertificateAuthority: authority}
	config.AuthInfos[contextName] = user
	config.Contexts[contextName] = &api.Context{Cluster: contextName, AuthInfo: contextName}
	config.CurrentContext = contextName
	if err := api.FlattenConfig(config); err != nil {
		return fmt.Errorf("composing the kubeconfig: %w", err)
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return nil
}
