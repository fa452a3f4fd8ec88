package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
)

// Answered is a request that was answered. Its texts are of a bounded number, whatever is asked for.
type Answered struct {
	Route  string // the pattern, such as /api/v2/workflow/{workflow_id}/tasks; "other" where there is none
	Method string // "other" for one that no route has
	Status string // the class, such as 2xx; "aborted" for an answer that was cut off
	Took   time.Duration
}

const other = "other"

// observe tells of every request, when it is over.
func (s *server) observe(next http.Handler) http.Handler {
	if s.Observe == nil {
		return next
	}
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := &beginning{ResponseWriter: w}
		answered := Answered{Route: other, Method: other, Status: "aborted"}
		if slices.Contains(methods, r.Method) {
			answered.Method = r.Method
		}
		route, begun := chi.RouteContext(r.Context()), time.Now()
		defer func() {
			answered.Took = time.Since(begun)
			if pattern := route.RoutePattern(); pattern != "" && pattern != "/*" {
				answered.Route = pattern
			}
			s.Observe(answered)
		}()
		next.ServeHTTP(sent, r)
		answered.Status = strconv.Itoa(max(sent.status, http.StatusOK)/100) + "xx"
	})
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
