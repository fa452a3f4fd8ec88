package tracing

import (
	"context"
	"log/slog"
)

// Log returns a handler that adds the id of its trace to each record that is of one, as trace_id.
func Log(handler slog.Handler) slog.Handler { return logHandler{handler} }

type logHandler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := ID(ctx); id != "" {
		record.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler { return Log(h.Handler.WithAttrs(attrs)) }

// WithGroup implements [slog.Handler].
func (h logHandler) WithGroup(name string) slog.Handler { return Log(h.Handler.WithGroup(name)) }
