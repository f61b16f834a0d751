package endtoend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/sandbox/selfsigned"
)

// Shop is examples/shop with a certificate that the account has.
type Shop struct {
	stage *Stage
	// pods is the manifest of namespaces, Deployments and Services; entries those of Ingresses, Gateway and routes.
	pods    string
	entries []string
}

var certificateARN = regexp.MustCompile(`arn:aws:acm:\S+`)

// NewShop writes the example's manifests into dir, with a certificate that it imports.
func NewShop(ctx context.Context, s *Stage, dir string) (*Shop, error) {
	arn, err := ImportCertificate(ctx, s, "*.example.com")
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(s.Root, "examples", "shop", "[0-9]*.yaml"))
	if err != nil || len(names) < 2 {
		return nil, errors.Join(errors.New("the shop example is not there"), err)
	}
	slices.Sort(names)
	copies := make([]string, 0, len(names))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the example: %w", err)
		}
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, certificateARN.ReplaceAll(data, []byte(arn)), 0o600); err != nil {
			return nil, fmt.Errorf("writing the example: %w", err)
		}
		copies = append(copies, path)
	}
	return &Shop{stage: s, pods: copies[0], entries: copies[1:]}, nil
}

// Staff brings up the pods, and returns when all are ready.
func (s *Shop) Staff(ctx context.Context) error {
	if _, err := s.stage.Kubectl(ctx, "apply", "-f", s.pods); err != nil {
		return err
	}
	_, err := s.stage.Kubectl(ctx, "wait", "deployments", "--all", "--all-namespaces", "--for=condition=Available", "--timeout=60s")
	return err
}

// Open applies the Ingresses, the Gateway and the routes.
func (s *Shop) Open(ctx context.Context) error {
	_, err := s.stage.Kubectl(ctx, "apply", "-f", strings.Join(s.entries, ","))
	return err
}

// Close deletes them, without waiting until they are gone. The classes stay: they are the installation's.
func (s *Shop) Close(ctx context.Context) error {
	_, err := s.stage.Kubectl(ctx, "delete", "--wait=false", "--ignore-not-found",
		"-f", strings.Join(s.entries, ","))
	return err
}

// Settle waits until the shop is open (both load balancers are there, and all pods are healthy targets of the five services) and
// nothing was written for a while. It returns what the account holds then.
func (s *Shop) Settle(ctx context.Context) (Holdings, error) {
	const quiet = 2 * time.Second
	var last Holdings
	writes, since := -1, time.Now()
	err := Until(ctx, func(ctx context.Context) error {
		if n := s.stage.Gate.Writes(); n != writes {
			writes, since = n, time.Now()
		}
		var err error
		if last, err = s.stage.Holdings(ctx); err != nil {
			return err
		}
		if err := last.serving(); err != nil {
			return err
		}
		if time.Since(since) < quiet {
			return errors.New("there are writes still")
		}
		return nil
	})
	return last, err
}

// Vacate closes the shop, and waits until its objects and all that was made for them are gone.
func (s *Shop) Vacate(ctx context.Context) error {
	if err := s.Close(ctx); err != nil {
		return err
	}
	return Until(ctx, s.Vacated)
}

// Vacated returns nil when the shop's objects and all that was made for them are gone.
func (s *Shop) Vacated(ctx context.Context) error {
	if err := s.gone(ctx); err != nil {
		return err
	}
	left, err := s.stage.Holdings(ctx)
	if err == nil && !left.Empty() {
		err = fmt.Errorf("the account holds %v", left.Counts)
	}
	return err
}

// gone returns nil when nothing of the entries is left in the API server: their finalizers fell.
func (s *Shop) gone(ctx context.Context) error {
	left, err := s.stage.Kubectl(ctx, "get", "--ignore-not-found", "-o", "name", "-f", strings.Join(s.entries, ","))
	if err != nil {
		return err
	}
	if left != "" {
		return fmt.Errorf("still there: %s", strings.ReplaceAll(strings.TrimSpace(left), "\n", ", "))
	}
	return nil
}

// ImportCertificate imports a self-signed certificate for hosts, and returns its ARN.
func ImportCertificate(ctx context.Context, s *Stage, hosts ...string) (string, error) {
	made, err := selfsigned.New(hosts...)
	if err != nil {
		return "", fmt.Errorf("for the shop: %w", err)
	}
	arn, err := made.Import(ctx, s.Simulator().AWSConfig())
	if err != nil {
		return "", fmt.Errorf("for the shop: %w", err)
	}
	return arn, nil
}
