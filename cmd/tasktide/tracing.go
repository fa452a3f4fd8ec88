package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"tasktide/internal/tracing"
)

// flushTime is how long a server that ends waits for its last spans to be taken.
const flushTime = 5 * time.Second

// startTracing returns a context in which traces are begun, when OpenTelemetry's environment variables say where to
// send them, and what sends the last of them.
func startTracing(ctx context.Context, log *slog.Logger) (traced context.Context, stop func(), err error) {
	exporter, err := tracing.ExporterFrom(os.Getenv)
	if err != nil || exporter == nil {
		return ctx, func() {}, err
	}
	provider, err := exporter.Open(ctx, version, log)
	if err != nil {
		return ctx, nil, err
	}
	return tracing.NewContext(ctx, provider), func() {
		// ctx is over by then.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := provider.Shutdown(within); err != nil {
			log.WarnContext(ctx, "the last traces were not delivered", "endpoint", exporter.Endpoint, "error", err)
		}
	}, nil
}
