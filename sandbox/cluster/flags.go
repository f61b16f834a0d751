package cluster

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// newCluster has etcd start from a kept directory, which knows the peer port of last time.
	newCluster = "--force-new-cluster"
	// serviceRange is what EKS gives clusters whose VPC lies in 10.0.0.0/8.
	serviceRange = "172.20.0.0/16"
	issuer       = "https://kubernetes.default.svc.cluster.local"
	// controllers are all but those that need what is not here: kubelets that renew their leases, and a
	// cloud that makes routes and load balancers.
	controllers = "*,-node-lifecycle-controller,-node-ipam-controller,-node-route-controller," +
		"-cloud-node-lifecycle-controller,-service-lb-controller"
)

// serviceIP is the address of the service "kubernetes", the first of the range.
func serviceIP() net.IP { return net.IPv4(172, 20, 0, 1) }

func etcdFlags(dir, client, peer string) []string {
	return []string{
		"--data-dir=" + filepath.Join(dir, "etcd"),
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
		newCluster,
		"--unsafe-no-fsync", // a laptop that loses power loses a sandbox
		"--log-level=warn",
	}
}

func serverFlags(k keys, etcd string, port int) []string {
	certificate, key := k.pair(serverPair)
	client, clientKey := k.pair(adminPair)
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
		// The endpoints of the service "kubernetes" would be loopback, which the server's own validation refuses.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceRange,
		"--tls-cert-file=" + certificate, "--tls-private-key-file=" + key,
		"--client-ca-file=" + k.ca(),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + k.key(serviceAccountPair),
		"--service-account-signing-key-file=" + k.key(serviceAccountPair),
		"--kubelet-certificate-authority=" + k.ca(),
		"--kubelet-client-certificate=" + client, "--kubelet-client-key=" + clientKey,
		// The nodes' internal addresses are identities; their host name is where the log server listens.
		"--kubelet-preferred-address-types=Hostname",
	}
}

func controllerManagerFlags(k keys, kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
		"--controllers=" + controllers,
		"--use-service-account-credentials=false",
		"--service-account-private-key-file=" + k.key(serviceAccountPair),
		"--root-ca-file=" + k.ca(),
		"--kube-api-qps=200", "--kube-api-burst=400", // one machine, one user
	}
}

// cleanEnvironment is the parent's without what would change how etcd and Kubernetes programs behave.
func cleanEnvironment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "ETCD_") || strings.HasPrefix(variable, "KUBE") {
			continue
		}
		kept = append(kept, variable)
	}
	return kept
}
