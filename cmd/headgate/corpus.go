package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/sandbox/corpus"
)

// corpusSpeed is faster than the demo's: nobody watches.
const corpusSpeed = 200

var errUnclear = errors.New("some objects got no verdict")

func newCorpusCommand() *cobra.Command {
	var table string
	var folders []string
	options := sandbox.Options{Speed: corpusSpeed, Simulator: sim.Options{DataPlane: true, DNS: "127.0.0.1:0"}}
	cmd := &cobra.Command{
		Use:   "corpus DIR",
		Short: "Apply a folder of manifests to a sandbox and say what became of each object",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Log = cmd.OutOrStdout()
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return runCorpus(ctx, options, corpusTask{dir: args[0], folders: folders, table: table})
		},
	}
	cmd.Flags().StringVar(&table, "table", "", "file to write the table to, as Markdown")
	cmd.Flags().StringSliceVar(&folders, "folders", []string{"ingress", "gateway", "binding"}, "folders of DIR to apply; . is DIR itself")
	cmd.Flags().IntVar(&options.PortOffset, "port-offset", 0, "added to the ports of listeners, for machines where ports below 1024 are closed")
	return cmd
}

// corpusTask is what to apply and where to write the table.
type corpusTask struct {
	dir     string
	folders []string
	table   string
}

// corpusPatience is how long an object may take to get a verdict.
const corpusPatience = 15 * time.Second

func runCorpus(ctx context.Context, options sandbox.Options, task corpusTask) (err error) {
	s, err := sandbox.Start(ctx, options)
	if err != nil {
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	c, err := sandboxClient(s)
	if err != nil {
		return err
	}
	w := corpus.World{Client: c, Get: getThrough(s, options.PortOffset), Out: options.Log, Patience: corpusPatience}
	rows, err := corpus.Run(ctx, w, task.dir, task.folders)
	if err != nil {
		showTail(options.Log, filepath.Join(s.Dir(), "logs", "controller.log"))
		return fmt.Errorf("applying the corpus: %w", err)
	}
	if task.table != "" {
		if err := os.WriteFile(task.table, []byte(corpus.Markdown(rows)), 0o600); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
	}
	text, ok := corpus.Summary(rows)
	fmt.Fprintln(options.Log, text)
	if !ok {
		return errUnclear
	}
	return nil
}

// getThrough sends requests to load balancers by their DNS names. Certificates are not looked at: strangers' are placeholders.
func getThrough(s *sandbox.Sandbox, offset int) func(context.Context, corpus.Request) (int, error) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Simulator().DNSAddr())
	}}
	return func(ctx context.Context, r corpus.Request) (int, error) {
		transport := &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, ServerName: r.Host}, //nolint:gosec // see above
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				dialer := &net.Dialer{Resolver: resolver, Timeout: 2 * time.Second}
				return dialer.DialContext(ctx, network, net.JoinHostPort(r.DNSName, strconv.Itoa(r.Port+offset)))
			},
		}
		host := r.Host
		if host == "" {
			host = r.DNSName
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Scheme+"://"+host+r.Path, http.NoBody)
		if err != nil {
			return 0, fmt.Errorf("making a request: %w", err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 0, fmt.Errorf("sending a request: %w", err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return 0, fmt.Errorf("reading the answer: %w", err)
		}
		return resp.StatusCode, nil
	}
}
