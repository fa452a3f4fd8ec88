package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
)

// handle makes a route of a function that does its work: it reads the request, and writes the answer
// or the error.
func handle[Request, Answer any](
	s *server, query queryRule, work func(context.Context, Request) (Answer, error),
) http.HandlerFunc {
	read := newReader(reflect.TypeFor[Request](), query)
	return func(w http.ResponseWriter, r *http.Request) {
		var request Request
		r.Body = http.MaxBytesReader(w, r.Body, s.MaxBodyBytes)
		if err := read.request(r, reflect.ValueOf(&request).Elem()); err != nil {
			s.fail(w, r, err)
			return
		}
		answer, err := work(r.Context(), request)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.succeed(w, r, answer)
	}
}

// none is the request of a route that asks for nothing, and the answer of one that has nothing to
// say: JobMon's client reads a body from every answer.
type none struct{}

// streamed is an answer that is written as it is made, because it may be too long to hold.
type streamed interface {
	// stream stops at w's first error, which w keeps.
	stream(w *bufio.Writer)
}

func (s *server) succeed(w http.ResponseWriter, r *http.Request, answer any) {
	if long, ok := answer.(streamed); ok {
		w.Header().Set("Content-Type", "application/json")
		buffer := bufio.NewWriterSize(w, 64<<10)
		long.stream(buffer)
		if buffer.Flush() != nil {
			// Nobody listens any more; what was sent must not look whole.
			panic(http.ErrAbortHandler)
		}
		return
	}
	body, err := encode(answer)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	send(w, http.StatusOK, body)
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
