package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"tasktide/internal/tracing"
)

// Answered is a request that was answered. Its texts are of a bounded number, whatever is asked for.
type Answered struct {
	Route  string // the pattern, such as /api/v2/workflow/{workflow_id}/tasks; "other" where there is none
	Method string // "other" for one that no route has
	Status string // the class, such as 2xx; "aborted" for an answer that was cut off
	Took   time.Duration
}

const other = "other"

// observe follows every request in the trace that it belongs to, and tells of it when it is over.
func (s *server) observe(next http.Handler) http.Handler {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := &beginning{ResponseWriter: w}
		answered := Answered{Route: other, Method: other, Status: "aborted"}
		if slices.Contains(methods, r.Method) {
			answered.Method = r.Method
		}
		ctx, span := tracing.Serve(r.Context(), r.Header)
		route, begun := chi.RouteContext(ctx), time.Now()
		defer func() {
			answered.Took = time.Since(begun)
			if pattern := route.RoutePattern(); pattern != "" && pattern != "/*" {
				answered.Route = pattern
			}
			if s.Observe != nil {
				s.Observe(answered)
			}
			endSpan(span, answered, sent.status)
		}()
		next.ServeHTTP(sent, r.WithContext(ctx))
		sent.status = max(sent.status, http.StatusOK)
		answered.Status = strconv.Itoa(sent.status/100) + "xx"
	})
}

// endSpan ends the span of a request, of which it tells nothing that a caller has written.
func endSpan(span *tracing.Span, answered Answered, status int) {
	span.Name(answered.Method + " " + answered.Route)
	span.Text("http.request.method", answered.Method)
	span.Text("http.route", answered.Route)
	span.Int("http.response.status_code", int64(status))
	if answered.Status == "aborted" || answered.Status == "5xx" {
		span.Fail(answered.Status)
	}
	span.End(nil)
}

// metrics hands over to Config.Metrics what is asked for as it should be.
func (s *server) metrics() http.HandlerFunc {
	read := newReader(reflect.TypeFor[none](), strictQuery)
	return func(w http.ResponseWriter, r *http.Request) {
		if err := read.queryInto(r, reflect.ValueOf(none{})); err != nil {
			s.fail(w, r, err)
			return
		}
		if s.Metrics == nil {
			s.notFound(w, r)
			return
		}
		s.Metrics.ServeHTTP(w, r)
	}
}
