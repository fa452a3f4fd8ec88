package tracing

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"tasktide/internal/jobmon"
)

// Exporter is where spans are sent to, in OTLP.
type Exporter struct {
	// Endpoint is the URL without its password.
	Endpoint string
	// Protocol is http/protobuf, http/json or grpc.
	Protocol string
}

const protocolGRPC = "grpc"

// ExporterFrom reads OpenTelemetry's environment variables. nil means that nothing is to be sent: neither an endpoint
// is given nor OTEL_TRACES_EXPORTER=otlp, or it is switched off. CodeInvalid for what cannot be meant.
func ExporterFrom(getenv func(name string) string) (*Exporter, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil //nolint:nilnil // there is none
	}
	name := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if getenv(name) == "" {
		name = "OTEL_EXPORTER_OTLP_ENDPOINT"
	}
	endpoint := getenv(name)
	switch kind := getenv("OTEL_TRACES_EXPORTER"); {
	case kind == "none", kind == "" && endpoint == "":
		return nil, nil //nolint:nilnil // there is none
	case kind != "" && kind != "otlp":
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "OTEL_TRACES_EXPORTER must be otlp or none, not %q", kind)
	}
	protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	shown := "http://localhost:4318"
	switch protocol {
	case "http/protobuf", "http/json":
	case protocolGRPC:
		shown = "http://localhost:4317"
	default:
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, http/json or grpc, not %q", protocol)
	}
	if endpoint != "" {
		parsed, err := url.Parse(endpoint)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
			return nil, jobmon.Errorf(jobmon.CodeInvalid, "%s must be a URL such as %s", name, shown)
		}
		shown = parsed.Redacted()
	}
	return &Exporter{Endpoint: shown, Protocol: protocol}, nil
}

// Open returns what begins traces and sends them, with the address, headers, certificates, limits and the share of
// traces that OpenTelemetry's environment variables tell. A receiver that is away is told of on log, once a minute at
// most, and costs the spans that it should have had, and nothing else. Shut it down to send what is left.
func (e Exporter) Open(ctx context.Context, version string, log *slog.Logger) (*sdk.TracerProvider, error) {
	otel.SetLogger(logr.FromSlogHandler(reasons{log.Handler()}))
	var told atomic.Int64
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if now, last := time.Now().Unix(), told.Load(); now-last >= 60 && told.CompareAndSwap(last, now) {
			log.WarnContext(ctx, "traces are not delivered", "endpoint", e.Endpoint, "error", err)
		}
	}))
	var client otlptrace.Client
	if e.Protocol == protocolGRPC {
		client = otlptracegrpc.NewClient()
	} else {
		client = otlptracehttp.NewClient()
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "traces cannot be sent to %s: %w", e.Endpoint, err)
	}
	// What the environment says comes last, so it wins.
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "tasktide"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "OTEL_RESOURCE_ATTRIBUTES cannot be read; write name=value,name=value")
	}
	return sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about)), nil
}

// reasons passes on what OpenTelemetry's library tells of itself, without its details: these may be a header with a
// password in it.
type reasons struct{ slog.Handler }

// Handle implements [slog.Handler].
func (r reasons) Handle(ctx context.Context, record slog.Record) error {
	told := slog.NewRecord(record.Time, record.Level, "OpenTelemetry: "+record.Message, record.PC)
	return r.Handler.Handle(ctx, told)
}

// WithAttrs implements [slog.Handler].
func (r reasons) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup implements [slog.Handler].
func (r reasons) WithGroup(string) slog.Handler { return r }
