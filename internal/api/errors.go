package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"tasktide/internal/jobmon"
	"tasktide/internal/tracing"
)

// statuses is the only place that knows which status code an error becomes. JobMon's client tries
// again after 423 and 5xx, and gives its run up after any other error.
var statuses = map[jobmon.Code]int{
	jobmon.CodeInvalid:         http.StatusBadRequest,
	jobmon.CodeAnonymous:       http.StatusUnauthorized,
	jobmon.CodeForbidden:       http.StatusForbidden,
	jobmon.CodeNotFound:        http.StatusNotFound,
	jobmon.CodeConflict:        http.StatusConflict,
	jobmon.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	jobmon.CodeContention:      http.StatusLocked,
	jobmon.CodeUnavailable:     http.StatusServiceUnavailable,
	jobmon.CodeBusy:            http.StatusServiceUnavailable,
	jobmon.CodeTooManyRequests: http.StatusTooManyRequests,
	jobmon.CodeInternal:        http.StatusInternalServerError,
}

// mayBeLate holds the codes that a deadline may surface as, whatever was under way then.
var mayBeLate = map[jobmon.Code]bool{
	jobmon.CodeContention: true, jobmon.CodeUnavailable: true, jobmon.CodeInternal: true,
}

type errorAnswer struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    jobmon.Code `json:"code"`
	Message string      `json:"message"`
	Field   *string     `json:"field"`
	TraceID string      `json:"trace_id"`
}

// fail answers with an error. What nobody foresaw goes to the log with its detail, and to the client
// as a plain sentence: the detail may name tables and files.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	answer := errorAnswer{s.describe(r, err)}
	answer.Error.TraceID = tracing.ID(r.Context())
	if statuses[answer.Error.Code] == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if answer.Error.Code == jobmon.CodeAnonymous {
		// A browser would ask for a password if it were offered Basic.
		w.Header().Set("WWW-Authenticate", `Bearer realm="tasktide"`)
	}
	if refused := answer.Error.Code; s.Refused != nil && (refused == jobmon.CodeBusy || refused == jobmon.CodeTooManyRequests) {
		s.Refused(refused)
	}
	// Texts and codes can always be encoded.
	body, _ := encode(answer)
	send(w, statuses[answer.Error.Code], body)
}

func (s *server) describe(r *http.Request, err error) errorBody {
	if ended := context.Cause(r.Context()); ended != nil && mayBeLate[jobmon.ErrorCode(err)] {
		err = ended
		if errors.Is(ended, context.Canceled) {
			err = jobmon.Errorf(jobmon.CodeUnavailable, "the request was given up")
		}
	}
	known, ok := errors.AsType[*jobmon.Error](err)
	if !ok || known.Code == jobmon.CodeInternal || statuses[known.Code] == 0 {
		s.logFailure(r, err)
		return errorBody{Code: jobmon.CodeInternal, Message: "the server failed to answer; its log says why"}
	}
	if known.Cause != "" || known.Code == jobmon.CodeUnavailable && known.Err != nil {
		// The answer names the cause, and not what the database said.
		s.logFailure(r, err)
	}
	body := errorBody{Code: known.Code, Message: known.Message}
	if known.Field != "" {
		body.Field = &known.Field
	}
	return body
}

func (s *server) logFailure(r *http.Request, err error) {
	attributes := []any{"method", r.Method, "path", r.URL.Path, "error", err}
	if cause := jobmon.ErrorCause(err); cause != "" {
		attributes = append(attributes, "cause", string(cause))
	}
	if known, ok := errors.AsType[*jobmon.Error](err); ok && known.Err != nil {
		attributes = append(attributes, "detail", known.Err)
	}
	if panicked, ok := errors.AsType[*panicError](err); ok {
		attributes = append(attributes, "stack", panicked.stack)
	}
	s.Log.ErrorContext(r.Context(), "a request failed", attributes...)
}

// panicError is a panic with the place that it came from.
type panicError struct {
	cause any
	stack string
}

func panicked(cause any) error { return &panicError{cause, string(debug.Stack())} }

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.cause) }
