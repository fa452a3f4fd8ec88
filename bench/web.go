package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/ledger"
	"tasktide/internal/timeline"
)

// web is the HTTP interface over a database, on a loopback address.
type web struct {
	server  *http.Server
	address string
	client  *http.Client
	served  chan error
}

func serve(ctx context.Context, b *bed, log *slog.Logger) (*web, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &web{
		server: &http.Server{
			Handler: api.New(api.Config{
				Catalog: b.store, Reader: b.store, Ledger: ledger.New(b.store, log), Timeline: b.line, Log: log,
				Health: func(context.Context) (api.Health, error) { return api.Health{}, nil },
			}),
			ReadHeaderTimeout: time.Minute,
		},
		address: "http://" + listener.Addr().String(),
		// Compression is asked for where it is measured.
		client: &http.Client{Transport: &http.Transport{DisableCompression: true}},
		served: make(chan error, 1),
	}
	go func() { w.served <- w.server.Serve(listener) }()
	return w, nil
}

func (w *web) close() error {
	w.client.CloseIdleConnections()
	err := w.server.Close()
	if served := <-w.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// pathOf is the chart request of a page.
func pathOf(workflow int64, request timeline.Request, stat string) string {
	parameters := url.Values{
		"start":       {time.UnixMicro(request.Start).UTC().Format(time.RFC3339)},
		"end":         {time.UnixMicro(*request.End).UTC().Format(time.RFC3339)},
		"granularity": {granularity(request.Bucket)},
		"stat":        {stat},
		"format":      {"columns"},
	}
	return fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?%s", workflow, parameters.Encode())
}

// granularity is a bucket's width as the interface has it.
func granularity(bucket int64) string {
	width := time.Duration(bucket) * time.Microsecond
	if width >= time.Hour {
		return fmt.Sprintf("%.0fh", width.Hours())
	}
	return fmt.Sprintf("%.0fm", width.Minutes())
}

// read requests a path and reads the whole answer.
func (w *web) read(ctx context.Context, path string) error {
	_, err := fetch(ctx, w.client, w.address+path, "identity", io.Discard)
	return err
}

// fetch requests an address and copies the body as it comes.
func fetch(ctx context.Context, client *http.Client, address, encoding string, body io.Writer) (http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", encoding)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return nil, fmt.Errorf("%s: %s: %s", address, response.Status, said)
	}
	_, err = io.Copy(body, response.Body)
	return response.Header, err
}

// weight is how long an answer is in bytes, as it is and as the server compresses it.
type weight struct{ plain, gzip, zstd int }

func (w *web) weigh(ctx context.Context, path string) (weight, error) {
	var weighed weight
	for coding, length := range map[string]*int{"identity": &weighed.plain, "gzip": &weighed.gzip, "zstd": &weighed.zstd} {
		var body bytes.Buffer
		header, err := fetch(ctx, w.client, w.address+path, coding, &body)
		if err != nil {
			return weight{}, err
		}
		if got := cmp.Or(header.Get("Content-Encoding"), "identity"); got != coding {
			return weight{}, fmt.Errorf("%s comes as %s, not as %s", path, got, coding)
		}
		*length = body.Len()
	}
	return weighed, nil
}
