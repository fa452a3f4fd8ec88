package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tasktide/internal/jobmon"
)

// scope is what the spans are of.
const scope = "tasktide"

type contextKey struct{}

// NewContext returns a context in which traces are begun by a provider.
func NewContext(ctx context.Context, provider trace.TracerProvider) context.Context {
	return context.WithValue(ctx, contextKey{}, provider)
}

func providerOf(ctx context.Context) trace.TracerProvider {
	provider, _ := ctx.Value(contextKey{}).(trace.TracerProvider)
	return provider
}

// Span is a part of the work that is under way. nil is one that nobody records, of which all methods do nothing.
type Span struct {
	ctx  context.Context //nolint:containedctx // it is what children are begun in
	span trace.Span
}

func begin(ctx context.Context, provider trace.TracerProvider, name string, options ...trace.SpanStartOption) *Span {
	ctx, span := provider.Tracer(scope).Start(ctx, name, options...) //nolint:spancheck // who began it ends it
	return &Span{ctx, span}                                          //nolint:spancheck // as above
}

// Start begins a span within the one that the context is of. Where that is none, or one that nobody records, so is
// this.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, nil
	}
	span := begin(ctx, parent.TracerProvider(), name)
	return span.ctx, span
}

// Begin begins a trace with the span of work that nobody has asked for.
func Begin(ctx context.Context, name string) (context.Context, *Span) {
	provider := providerOf(ctx)
	if provider == nil {
		return ctx, nil
	}
	span := begin(ctx, provider, name, trace.WithNewRoot())
	return span.ctx, span
}

// Serve begins the span of a request in the trace that its headers tell of, or in a new one. The context that it
// returns has the id of the trace even where nobody records it. Headers that are not as they should be tell of none.
func Serve(ctx context.Context, header http.Header) (context.Context, *Span) {
	if len(header.Values("Traceparent")) == 1 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	}
	if provider := providerOf(ctx); provider != nil {
		span := begin(ctx, provider, "request", trace.WithSpanKind(trace.SpanKindServer))
		return span.ctx, span
	}
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, newSpanContext())
	}
	return ctx, nil
}

// newSpanContext is of a trace that nobody records. Its ids are to be told apart, and are no secret.
func newSpanContext() trace.SpanContext {
	var config trace.SpanContextConfig
	binary.NativeEndian.PutUint64(config.TraceID[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(config.TraceID[8:], rand.Uint64())
	config.SpanID = trace.SpanID(config.TraceID[:8])
	return trace.NewSpanContext(config)
}

// ID returns the id of the trace that a context is of, 32 hexadecimal digits, or nothing.
func ID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}

// Child begins a span within this one.
func (s *Span) Child(name string) *Span { return s.child(name, trace.SpanKindInternal) }

// Client begins a span within this one, of a call to a database or another process.
func (s *Span) Client(name string) *Span { return s.child(name, trace.SpanKindClient) }

func (s *Span) child(name string, kind trace.SpanKind) *Span {
	if s == nil {
		return nil
	}
	return begin(s.ctx, s.span.TracerProvider(), name, trace.WithSpanKind(kind))
}

// In returns a context in which spans begin within this one.
func (s *Span) In(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// Name renames the span.
func (s *Span) Name(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// Text says something of the span, by OpenTelemetry's name where there is one.
func (s *Span) Text(key, value string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Int is [Span.Text] for a number.
func (s *Span) Int(key string, value int64) {
	if s != nil {
		s.span.SetAttributes(attribute.Int64(key, value))
	}
}

// Bool is [Span.Text] for what is so or not.
func (s *Span) Bool(key string, value bool) {
	if s != nil {
		s.span.SetAttributes(attribute.Bool(key, value))
	}
}

// Fail says why the span failed: a code or a class, never a text that may tell of somebody's work.
func (s *Span) Fail(why string) {
	if s != nil {
		s.span.SetAttributes(attribute.String("error.type", why))
		s.span.SetStatus(codes.Error, "")
	}
}

// End ends the span, which has failed when there is an error.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.Fail(string(jobmon.ErrorCode(err)))
	}
	s.span.End()
}
