package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
	sizes "tasktide/internal/workload"
)

const (
	memoryClients  = 8
	memoryRequests = 200
)

// resident is how much memory the server had, in kibibytes.
type resident struct {
	size        string
	after, most int64
}

// measureMemory has the server, as a process of its own, answer charts of a SQLite file, and looks how much
// memory it needs.
func (r *readSide) measureMemory(ctx context.Context, p *population) (err error) {
	b := r.beds[0]
	if b.kind != testdb.SQLite {
		return nil
	}
	size, err := sizes.ParseSize(p.name)
	if err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "tasktide-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	binary, err := build(ctx, directory)
	if err != nil {
		return err
	}
	server, err := start(ctx, binary, b.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if err := askMany(ctx, server.address, p.workflow[b.kind], size); err != nil {
		return err
	}
	r.page.resident.size = p.name
	r.page.resident.after, r.page.resident.most, err = memoryOf(server.command.Process.Pid)
	if err == nil {
		_, err = fmt.Fprintf(r.progress, "memory: %d kB resident after %d charts of %s, %d kB at most\n",
			r.page.resident.after, memoryRequests, p.name, r.page.resident.most)
	}
	return err
}

// askMany sends charts of all kinds, several at once.
func askMany(ctx context.Context, address string, workflow int64, size sizes.Size) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: memoryClients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	rng := rand.New(rand.NewPCG(seed, seed))
	paths := make(chan string, memoryRequests)
	for range memoryRequests {
		bucket := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour}[rng.IntN(4)]
		span := min(bucket*time.Duration(100+rng.IntN(1400)), size.Span)
		until := end.Add(-time.Duration(rng.Int64N(int64(size.Span-span) + 1))).Truncate(time.Minute).UnixMicro()
		path := pathOf(workflow, timeline.Request{
			Start: until - span.Microseconds(), End: &until, Bucket: bucket.Microseconds(),
		}, []string{"start", "mean", "peak", "entered"}[rng.IntN(4)])
		paths <- path + []string{"", "&status=ACTIVE", "&status=PENDING", "&status=D"}[rng.IntN(4)]
	}
	close(paths)
	group, ctx := errgroup.WithContext(ctx)
	for range memoryClients {
		group.Go(func() error {
			for path := range paths {
				if _, err := fetch(ctx, client, address+path, "gzip", io.Discard); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// memoryOf returns the resident set of a process, as it is and at its highest, in kibibytes.
func memoryOf(pid int) (now, most int64, err error) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	for _, value := range []struct {
		name string
		into *int64
	}{{"VmRSS", &now}, {"VmHWM", &most}} {
		text := strings.TrimSuffix(entry(status, value.name, ":"), " kB")
		if *value.into, err = strconv.ParseInt(text, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("%s of %s: %w", value.name, status, err)
		}
	}
	return now, most, nil
}
