package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/tracing"
)

func TestExporterFrom(t *testing.T) {
	type variables map[string]string
	for _, c := range []struct {
		variables variables
		want      string // its endpoint and protocol, or nothing
		wrong     string // part of the error
	}{
		{variables{}, "", ""},
		{variables{"OTEL_SERVICE_NAME": "x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", ""},
		{variables{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1"}, "", ""},
		{variables{"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1"}, "", ""},
		{variables{"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318 http/protobuf", ""},
		{variables{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://localhost:4317 grpc", ""},
		{variables{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://h:1/x"}, "https://h:1/x http/protobuf", ""},
		{variables{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://ada:secret@h:1"}, "http://ada:xxxxx@h:1 http/protobuf", ""},
		{variables{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:2",
			"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
		}, "http://h:2 http/json", ""},
		{variables{"OTEL_TRACES_EXPORTER": "console"}, "", `OTEL_TRACES_EXPORTER must be otlp or none, not "console"`},
		{variables{"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "", "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://localhost:4318"},
		{variables{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://ada:secret@\x00"}, "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL"},
		{variables{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "udp"}, "", `http/protobuf, http/json or grpc, not "udp"`},
	} {
		exporter, err := tracing.ExporterFrom(func(name string) string { return c.variables[name] })
		got := ""
		if exporter != nil {
			got = exporter.Endpoint + " " + exporter.Protocol
		}
		if got != c.want || (err != nil) != (c.wrong != "") {
			t.Errorf("%v: got %q, %v", c.variables, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "secret") ||
			jobmon.ErrorCode(err) != jobmon.CodeInvalid) {
			t.Errorf("%v: the error is %v", c.variables, err)
		}
	}
}

// A receiver that refuses, and headers with a secret that cannot be read, are told of, without the secret, and keep
// nobody from anything.
func TestTracesThatAreNotTaken(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization secret")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=ops")
	var told bytes.Buffer
	provider, err := tracing.Exporter{Endpoint: receiver.URL}.Open(t.Context(), "v1", slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.Begin(tracing.NewContext(t.Context(), provider), "work")
	span.End(errors.New("failed"))
	err = provider.ForceFlush(context.Background())
	if text := told.String() + err.Error(); !strings.Contains(text, "403") || strings.Contains(text, "secret") ||
		!strings.Contains(text, "parse headers") {
		t.Errorf("told: %s", text)
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
