package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/spf13/cobra"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox"
	"github.com/headgate/headgate/sandbox/corpus"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

// corpusSpeed is faster than the demo's: nobody watches.
const corpusSpeed = 200

var (
	errUnclear       = errors.New("some objects got no verdict")
	errPanic         = errors.New("the operator panicked")
	errOtherwise     = errors.New("the corpus gives something else than the table says")
	errOperatorEnded = errors.New("the operator ended")
)

func newCorpusCommand() *cobra.Command {
	var table, expect string
	var update bool
	var folders []string
	options := sandbox.Options{
		Speed: corpusSpeed, Simulator: sim.Options{DataPlane: true, DNS: "127.0.0.1:0"}, ControllerArgs: []string{"--trust-store-bucket=" + corpusBucket},
	}
	cmd := &cobra.Command{
		Use:   "corpus DIR",
		Short: "Apply a folder of manifests to a sandbox and say what became of each object",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Log = cmd.OutOrStdout()
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return runCorpus(ctx, options, corpusTask{dir: args[0], folders: folders, table: table, expect: expect, update: update})
		},
	}
	cmd.Flags().StringVar(&table, "table", "", "file to write the table to, as Markdown")
	cmd.Flags().StringVar(&expect, "expect", "", "table of what is expected, with which the outcome is compared; where DIR is not there, nothing is")
	cmd.Flags().BoolVar(&update, "update", false, "write the outcome into the table of --expect instead; what changed is to be judged anew")
	cmd.Flags().StringSliceVar(&folders, "folders", []string{"ingress", "gateway", "binding"}, "folders of DIR to apply; . is DIR itself")
	cmd.Flags().IntVar(&options.PortOffset, "port-offset", 0, "added to the ports of listeners, for machines where ports below 1024 are closed")
	return cmd
}

// corpusTask is what to apply and where to write the table.
type corpusTask struct {
	dir     string
	folders []string
	table   string
	// expect is the file of the table that the outcome is compared with, or that it is written to; empty compares nothing.
	expect string
	update bool
}

const (
	// corpusPatience is how long an object may take to get a verdict: much, for machines that have other work.
	corpusPatience = time.Minute
	// corpusWorkers is how many files are applied side by side. Most of the time is spent waiting.
	corpusWorkers = 8
	// corpusBucket is where the operator keeps the authorities of clients.
	corpusBucket = "corpus-authorities"
)

func runCorpus(ctx context.Context, options sandbox.Options, task corpusTask) (err error) {
	if _, err := os.Stat(task.dir); os.IsNotExist(err) && task.expect != "" {
		fmt.Fprintf(options.Log, "There is no corpus in %s: nothing is applied and nothing compared\n", task.dir)
		return nil
	}
	s, err := startSandbox(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	if err := makeBucket(ctx, s.Simulator().AWSConfig()); err != nil {
		return err
	}
	c, err := sandboxClient(s)
	if err != nil {
		return err
	}
	w := corpus.World{
		Client: c, Get: getThrough(s, options.PortOffset), Out: options.Log, Patience: corpusPatience, Workers: corpusWorkers,
		Shape: corpus.NewShape(s.Simulator().AWSConfig()).Of, Certify: certify(s),
	}
	watched, stop := whileOperatorRuns(ctx, s)
	defer stop()
	rows, err := corpus.Run(watched, w, task.dir, task.folders)
	return errors.Join(err, report(options.Log, task.table, rows), compare(options.Log, task, rows),
		checkLog(options.Log, filepath.Join(s.LogDir(), "controller.log"), err))
}

// makeBucket makes the one for the authorities of clients.
func makeBucket(ctx context.Context, account aws.Config) error {
	objects := s3.NewFromConfig(account, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket:                    aws.String(corpusBucket),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(account.Region)},
	}); err != nil {
		return fmt.Errorf("making the bucket for authorities: %w", err)
	}
	return nil
}

// whileOperatorRuns is a context that ends with the operator.
func whileOperatorRuns(ctx context.Context, s *sandbox.Sandbox) (context.Context, func()) {
	watched, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-watched.Done():
		case <-s.OperatorDone():
			cancel(errors.Join(errOperatorEnded, s.OperatorErr()))
		}
	}()
	return watched, func() { cancel(nil) }
}

// checkLog finds panics in the operator's log, which it recovers from, and shows the log's end where something went wrong.
func checkLog(out io.Writer, path string, failed error) error {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("reading the operator's log: %w", err)
	}
	if n := bytes.Count(text, []byte("Observed a panic")); n > 0 {
		failed = fmt.Errorf("%w: %d times", errPanic, n)
	}
	if failed != nil {
		showTail(out, path)
	}
	return failed
}

// report writes the table and the summary.
func report(out io.Writer, table string, rows []corpus.Row) error {
	if table != "" {
		if err := os.WriteFile(table, []byte(corpus.Markdown(rows)), 0o600); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
	}
	text, ok := corpus.Summary(rows)
	fmt.Fprintln(out, text)
	if !ok {
		return errUnclear
	}
	return nil
}

// certify imports self-signed certificates.
func certify(s *sandbox.Sandbox) func(context.Context, []string) error {
	return func(ctx context.Context, hosts []string) error {
		made, err := selfsigned.New(hosts...)
		if err == nil {
			_, err = made.Import(ctx, s.Simulator().AWSConfig())
		}
		if err != nil {
			return fmt.Errorf("standing in for a certificate of %v: %w", hosts, err)
		}
		return nil
	}
}

// compare holds the outcome against the table of the tree, or writes it there.
func compare(out io.Writer, task corpusTask, rows []corpus.Row) error {
	if task.expect == "" {
		return nil
	}
	intro, entries, err := corpus.ReadLedger(task.expect)
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	if task.update {
		if err := corpus.WriteLedger(task.expect, intro, corpus.Judge(entries, rows)); err != nil {
			return fmt.Errorf("comparing: %w", err)
		}
		return nil
	}
	differences := corpus.Differences(entries, rows)
	for _, d := range differences {
		fmt.Fprintln(out, d)
	}
	if len(differences) > 0 {
		return fmt.Errorf("%w: %d differences; look at each, and write them with --update", errOtherwise, len(differences))
	}
	fmt.Fprintf(out, "All is as %s says\n", task.expect)
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
		address := url.URL{Scheme: r.Scheme, Host: host, Path: r.Path, RawQuery: r.Query}
		req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), address.String(), http.NoBody)
		if err != nil {
			return 0, fmt.Errorf("making a request: %w", err)
		}
		for name, value := range r.Header {
			req.Header.Set(name, value)
		}
		if r.GRPC {
			asCall(req, transport)
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

// asCall makes a call of gRPC of a request: an empty message over HTTP/2.
func asCall(r *http.Request, over *http.Transport) {
	over.Protocols = new(http.Protocols)
	over.Protocols.SetHTTP2(true)
	r.Method = http.MethodPost
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("TE", "trailers")
	r.Body = io.NopCloser(bytes.NewReader(make([]byte, 5)))
}
