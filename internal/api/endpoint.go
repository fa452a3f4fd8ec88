package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"time"

	"tasktide/internal/limit"
)

// handle makes a route of a function that does its work: it reads the request, and writes the answer
// or the error.
func handle[Request, Answer any](
	s *server, query queryRule, work func(context.Context, Request) (Answer, error),
) http.HandlerFunc {
	read := newReader(reflect.TypeFor[Request](), query)
	subjects := subjectsOf(reflect.TypeFor[Request]())
	return func(w http.ResponseWriter, r *http.Request) {
		var request Request
		if err := s.receive(w, r, read, reflect.ValueOf(&request).Elem()); err != nil {
			s.fail(w, r, err)
			return
		}
		answer, err := inTurn(r.Context(), func(ctx context.Context) (answer Answer, err error) {
			if err := s.authorize(ctx, subjects, reflect.ValueOf(&request).Elem()); err != nil {
				return answer, err
			}
			return work(ctx, request)
		})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.succeed(w, r, answer)
	}
}

// longBody is from how many bytes on a body is read in turns: as many more of them would fill the memory.
const longBody = 1 << 20

// receive reads a request. Its body must be there within the time of its route.
func (s *server) receive(w http.ResponseWriter, r *http.Request, read reader, request reflect.Value) error {
	if r.ContentLength == 0 {
		return read.request(r, request)
	}
	if r.ContentLength < 0 || r.ContentLength > longBody {
		giveBack, err := s.longBodies.Take(r.Context())
		if err != nil {
			return err
		}
		defer giveBack()
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.MaxBodyBytes)
	connection := http.NewResponseController(w)
	if until, bounded := r.Context().Deadline(); bounded {
		_ = connection.SetReadDeadline(until) // a recorder of answers has none
	}
	if err := read.request(r, request); err != nil {
		return err
	}
	// Otherwise its end, while the request is worked on, would look as if the client had gone.
	_ = connection.SetReadDeadline(time.Time{})
	return nil
}

// inTurn does some work when it is its turn among the routes of its kind. What is sent to those who are slow to take it
// is not part of that.
func inTurn[Result any](ctx context.Context, work func(context.Context) (Result, error)) (result Result, err error) {
	turns, _ := ctx.Value(turnsKey).(*limit.Turns)
	giveBack, err := turns.Take(ctx)
	if err != nil {
		return result, err
	}
	defer giveBack()
	return work(ctx)
}

// none is the request of a route that asks for nothing, and the answer of one that has nothing to
// say: JobMon's client reads a body from every answer.
type none struct{}

// noContent is the answer to a request that wants none.
type noContent struct{}

// streamed is an answer that is written as it is made, because it may be too long to hold.
type streamed interface {
	// header sets what precedes it.
	header(h http.Header)
	// stream returns an error when it cannot be made, or written. It may go on after w's first error, which w
	// keeps.
	stream(w *bufio.Writer) error
}

func (s *server) succeed(w http.ResponseWriter, r *http.Request, answer any) {
	if long, ok := answer.(streamed); ok {
		s.stream(w, r, long)
		return
	}
	if common, ok := answer.(shared); ok {
		s.share(w, r, common)
		return
	}
	if _, ok := answer.(noContent); ok {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := encode(answer)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	send(w, http.StatusOK, body)
}

// stream writes an answer as it is made. While it is still short enough to be held, an error is told in its
// place.
func (s *server) stream(w http.ResponseWriter, r *http.Request, answer streamed) {
	sent := &beginning{ResponseWriter: w}
	buffer := bufio.NewWriterSize(hurried{sent, http.NewResponseController(w), s.TakeWait}, 64<<10)
	before := w.Header().Clone()
	answer.header(w.Header())
	err := answer.stream(buffer)
	if err != nil && sent.status == 0 {
		clear(w.Header())
		maps.Copy(w.Header(), before)
		s.fail(w, r, err)
		return
	}
	gone := buffer.Flush() != nil
	if err != nil && !gone {
		s.logFailure(r, err)
	}
	if err != nil || gone {
		// What was sent must not look whole.
		panic(http.ErrAbortHandler)
	}
}

// hurried gives up a client that does not take what is written in time: the answer is made out of a snapshot, and with
// that goes a connection to the database.
type hurried struct {
	io.Writer
	connection *http.ResponseController
	within     time.Duration
}

func (h hurried) Write(data []byte) (int, error) {
	_ = h.connection.SetWriteDeadline(time.Now().Add(h.within)) // a recorder of answers has none
	return h.Writer.Write(data)
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A failed write means that nobody listens any more: there is nobody to tell.
	_, _ = w.Write(body)
}

// encode leaves <, > and & as they are: answers hold commands, and are never part of a page.
func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return body.Bytes(), err
}
