package pods

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/sandbox/echo"
)

// contractImage is the echo server of the Gateway API conformance suite. Pods with it are held to its
// contract to the letter, for tests rely on what it refuses.
const contractImage = "echo-basic"

// fillContainers makes the pod's containers, for which its volumes must be there.
func (r *Runner) fillContainers(ctx context.Context, p *pod, object *corev1.Pod) error {
	volumes, err := r.readVolumes(ctx, object)
	if err != nil {
		return err
	}
	for _, spec := range object.Spec.Containers {
		made, err := newContainer(object, spec, mounted(spec, volumes))
		if err != nil {
			return errors.Join(fmt.Errorf("container %s: %w", spec.Name, err), p.close(ctx))
		}
		p.containers = append(p.containers, made)
	}
	return nil
}

func newContainer(object *corev1.Pod, spec corev1.Container, files map[string][]byte) (*container, error) {
	env := environment(object, spec)
	c := &container{name: spec.Name, logs: newLogbook(), declared: map[portKey]bool{}}
	for _, port := range spec.Ports {
		c.declared[portKey{port.ContainerPort, port.Protocol}] = true
	}
	config := echo.Config{
		Namespace: orElse(env["NAMESPACE"], object.Namespace), Pod: orElse(env["POD_NAME"], object.Name),
		Service: env["SERVICE_NAME"], Ingress: env["INGRESS_NAME"], Log: c.logs,
	}
	err := readCertificate(&config, env, files)
	if err != nil {
		return nil, err
	}
	if bundle := files[env["TLS_CLIENT_CACERTS"]]; bundle != nil {
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(bundle)
	}
	if underContract(spec, env) {
		if c.speaks, err = contractPorts(env, config.Certificate != nil); err != nil {
			return nil, err
		}
	}
	if c.echo, err = echo.New(config); err != nil {
		return nil, fmt.Errorf("making its server: %w", err)
	}
	return c, nil
}

// readCertificate reads what TLS_SERVER_CERT and TLS_SERVER_PRIVKEY (or TLS_SERVER_PRIV_KEY) name, if they do.
func readCertificate(into *echo.Config, env map[string]string, files map[string][]byte) error {
	name, keyName := env["TLS_SERVER_CERT"], orElse(env["TLS_SERVER_PRIVKEY"], env["TLS_SERVER_PRIV_KEY"])
	if name == "" || keyName == "" {
		return nil
	}
	pair, err := tls.X509KeyPair(files[path.Clean(name)], files[path.Clean(keyName)])
	if err != nil {
		return fmt.Errorf("reading certificate %s and key %s: %w", name, keyName, err)
	}
	into.Certificate = &pair
	return nil
}

func underContract(spec corev1.Container, env map[string]string) bool {
	image := path.Base(spec.Image)
	return strings.HasPrefix(image, contractImage) ||
		env["GRPC_ECHO_SERVER"] != "" || env["TCP_ECHO_SERVER"] != "" || env["UDP_ECHO_SERVER"] != ""
}

// contractPorts are the ports of the conformance suite's echo server, which chooses by its environment what
// it is.
func contractPorts(env map[string]string, secure bool) (map[int32]echo.Kind, error) {
	ports := map[int32]echo.Kind{}
	var failures []error
	add := func(variable string, fallback int32, kind echo.Kind) {
		number := fallback
		if text := env[variable]; text != "" {
			parsed, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				failures = append(failures, fmt.Errorf("environment variable %s: %w", variable, err))
				return
			}
			number = int32(parsed)
		}
		ports[number] = kind
	}
	tlsVariable, overTLS := "HTTPS_PORT", echo.HTTPS
	switch {
	case env["GRPC_ECHO_SERVER"] != "":
		overTLS = echo.GRPCS
		add("HTTP_PORT", contractHTTP, echo.GRPC)
	case env["TCP_ECHO_SERVER"] != "":
		tlsVariable, overTLS = "TLS_PORT", echo.TLS
		add("TCP_PORT", contractHTTP, echo.TCP)
	case env["UDP_ECHO_SERVER"] != "":
		secure = false
		add("UDP_PORT", contractUDP, echo.UDP)
	default:
		add("HTTP_PORT", contractHTTP, echo.HTTP)
		add("H2C_PORT", contractH2C, echo.H2C)
	}
	if secure {
		add(tlsVariable, contractHTTPS, overTLS)
	}
	return ports, errors.Join(failures...)
}

// Ports of the contract when the environment names no others.
const (
	contractHTTP  = 3000
	contractH2C   = 3001
	contractHTTPS = 8443
	contractUDP   = 8080
)

// environment resolves what an echo may need: plain values and fields of the pod. Values out of Secrets and
// ConfigMaps stay empty, for no echo reads them.
func environment(object *corev1.Pod, spec corev1.Container) map[string]string {
	env := map[string]string{}
	for _, variable := range spec.Env {
		env[variable.Name] = variable.Value
		if from := variable.ValueFrom; from != nil && from.FieldRef != nil {
			env[variable.Name] = field(object, from.FieldRef.FieldPath)
		}
	}
	return env
}

func field(object *corev1.Pod, fieldPath string) string {
	switch fieldPath {
	case "metadata.name":
		return object.Name
	case "metadata.namespace":
		return object.Namespace
	case "spec.nodeName":
		return object.Spec.NodeName
	case "spec.serviceAccountName":
		return object.Spec.ServiceAccountName
	}
	for prefix, values := range map[string]map[string]string{"metadata.labels['": object.Labels, "metadata.annotations['": object.Annotations} {
		if rest, ok := strings.CutPrefix(fieldPath, prefix); ok {
			return values[strings.TrimSuffix(rest, "']")]
		}
	}
	return ""
}

// volume is the content of a volume by file name.
type volume map[string][]byte

// readVolumes reads the Secrets and ConfigMaps that are mounted. One that is missing keeps the pod from
// starting, as it does with a kubelet; volumes of other kinds are empty.
func (r *Runner) readVolumes(ctx context.Context, object *corev1.Pod) (map[string]volume, error) {
	volumes := map[string]volume{}
	for _, v := range object.Spec.Volumes {
		content := volume{}
		for _, source := range sources(v) {
			data, err := r.readSource(ctx, object.Namespace, source)
			if err != nil {
				return nil, fmt.Errorf("volume %s: %w", v.Name, err)
			}
			source.into(content, data)
		}
		volumes[v.Name] = content
	}
	return volumes, nil
}

// source is a Secret or ConfigMap that fills a volume.
type source struct {
	secret, configMap string
	items             []corev1.KeyToPath
	optional          bool
}

func sources(v corev1.Volume) []source {
	isTrue := func(b *bool) bool { return b != nil && *b }
	switch {
	case v.Secret != nil:
		return []source{{secret: v.Secret.SecretName, items: v.Secret.Items, optional: isTrue(v.Secret.Optional)}}
	case v.ConfigMap != nil:
		return []source{{configMap: v.ConfigMap.Name, items: v.ConfigMap.Items, optional: isTrue(v.ConfigMap.Optional)}}
	case v.Projected == nil:
		return nil
	}
	var all []source
	for _, one := range v.Projected.Sources {
		if s := one.Secret; s != nil {
			all = append(all, source{secret: s.Name, items: s.Items, optional: isTrue(s.Optional)})
		}
		// kube-root-ca.crt is in every pod's token volume; no echo reads it, and none should wait for it.
		if c := one.ConfigMap; c != nil && c.Name != "kube-root-ca.crt" {
			all = append(all, source{configMap: c.Name, items: c.Items, optional: isTrue(c.Optional)})
		}
	}
	return all
}

func (r *Runner) readSource(ctx context.Context, namespace string, from source) (map[string][]byte, error) {
	read := r.readSecret
	if from.configMap != "" {
		read = r.readConfigMap
	}
	data, err := read(ctx, namespace, orElse(from.secret, from.configMap))
	if apierrors.IsNotFound(err) && from.optional {
		return map[string][]byte{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is mounted: %w", err)
	}
	return data, nil
}

func (r *Runner) readSecret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	secret, err := r.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("getting the Secret: %w", err)
	}
	return secret.Data, nil
}

func (r *Runner) readConfigMap(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	config, err := r.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("getting the ConfigMap: %w", err)
	}
	data := make(map[string][]byte, len(config.Data)+len(config.BinaryData))
	maps.Copy(data, config.BinaryData)
	for key, value := range config.Data {
		data[key] = []byte(value)
	}
	return data, nil
}

// into puts the data under the names that the volume gives it.
func (s source) into(content volume, data map[string][]byte) {
	if len(s.items) == 0 {
		maps.Copy(content, data)
		return
	}
	for _, item := range s.items {
		if value, ok := data[item.Key]; ok {
			content[path.Clean(item.Path)] = value
		}
	}
}

// mounted gives the files that a container sees, by path.
func mounted(spec corev1.Container, volumes map[string]volume) map[string][]byte {
	files := map[string][]byte{}
	for _, mount := range spec.VolumeMounts {
		for name, content := range volumes[mount.Name] {
			if mount.SubPath == "" {
				files[path.Join(mount.MountPath, name)] = content
			} else if path.Clean(mount.SubPath) == name {
				files[path.Clean(mount.MountPath)] = content
			}
		}
	}
	return files
}

func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
