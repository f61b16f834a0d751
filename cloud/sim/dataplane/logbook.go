package dataplane

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// How access logs are delivered: every five minutes, or when there is much of them.
const (
	logInterval = 5 * time.Minute
	maxLog      = 1 << 20
)

// The logs of a load balancer, by the attributes that switch them on.
const (
	accessLog     = "access_logs"
	connectionLog = "connection_logs"
	healthLog     = "health_check_logs"
)

// logbook gathers a log of a load balancer and writes it to files as they are in a bucket.
type logbook struct {
	server *Server
	// kind is one of the logs above.
	kind string
	// place is the directory of the bucket with the prefix.
	place   string
	arn     string
	address netip.Addr

	mu     sync.Mutex
	buffer bytes.Buffer
	timer  *time.Timer
}

// logbooks holds the logbooks at work.
type logbooks struct {
	mu  sync.Mutex
	all map[string]*logbook
}

// logbook gives the logbook of a load balancer for one of its logs, or nil if it keeps none.
func (s *Server) logbook(lb *LoadBalancer, kind string) *logbook {
	a := attributes(lb.Attributes)
	if s.accessLogs == "" || !a.on(kind+".s3.enabled") {
		return nil
	}
	bucket, prefix := a[kind+".s3.bucket"], a[kind+".s3.prefix"]
	place := filepath.Join(s.accessLogs, filepath.Clean("/"+bucket), filepath.Clean("/"+prefix))
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	if s.books.all == nil {
		s.books.all = map[string]*logbook{}
	}
	key := lb.ARN + " " + kind + " " + place
	if s.books.all[key] == nil {
		s.books.all[key] = &logbook{server: s, kind: kind, place: place, arn: lb.ARN, address: lb.Address}
	}
	return s.books.all[key]
}

// add takes a line. It is delivered later.
func (b *logbook) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.WriteString(line)
	if b.buffer.Len() >= maxLog {
		b.deliver()
		return
	}
	if b.timer == nil && b.server.enter() {
		b.timer = time.AfterFunc(b.server.scaled(logInterval), func() {
			defer b.server.work.Done()
			b.mu.Lock()
			defer b.mu.Unlock()
			b.timer = nil
			b.deliver()
		})
	}
}

// deliver writes what was gathered. The caller holds the lock.
func (b *logbook) deliver() {
	if b.timer != nil && b.timer.Stop() {
		b.server.work.Done()
	}
	b.timer = nil
	if b.buffer.Len() == 0 {
		return
	}
	if err := b.write(); err != nil {
		b.server.log.Error("writing a log", "kind", b.kind, "balancer", b.arn, "error", err)
	}
	b.buffer.Reset()
}

// write makes one file with the name and in the place that it has in a bucket.
func (b *logbook) write() (err error) {
	name := b.path(b.server.now().UTC())
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making a file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	z := gzip.NewWriter(file)
	if _, err := z.Write(b.buffer.Bytes()); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// path is that of AWS: account, region and day, then load balancer, end of the interval, address and something random. Files of connections
// and health checks begin with a word of their own; those of network load balancers have no address.
func (b *logbook) path(now time.Time) string {
	const arnParts = 6
	region, account := "-", "-"
	if parts := strings.SplitN(b.arn, ":", arnParts); len(parts) == arnParts {
		region, account = parts[3], parts[4]
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	parts := []string{account, "elasticloadbalancing", region, strings.ReplaceAll(balancerID(b.arn), "/", "."), now.Format("20060102T1504Z")}
	if !strings.HasPrefix(balancerID(b.arn), "net/") {
		parts = append(parts, b.address.String())
	}
	begin := map[string]string{connectionLog: "conn_log_", healthLog: "health_check_log_"}[b.kind]
	file := begin + strings.Join(append(parts, hex.EncodeToString(random[:])), "_") + ".log.gz"
	return filepath.Join(b.place, "AWSLogs", account, "elasticloadbalancing", region, now.Format("2006/01/02"), file)
}

// close delivers what is left of all logbooks.
func (b *logbooks) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, book := range b.all {
		book.mu.Lock()
		book.deliver()
		book.mu.Unlock()
	}
}
