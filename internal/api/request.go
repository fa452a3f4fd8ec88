package api

import (
	"encoding"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"tasktide/internal/jobmon"
)

// queryRule says what becomes of a query parameter, or a member of the body, that a route does not know.
type queryRule bool

const (
	// anyQuery ignores it: JobMon's client sends client_jobmon_version with every request.
	anyQuery queryRule = false
	// strictQuery refuses it: a misspelt filter must not pass for no filter.
	strictQuery queryRule = true
)

// reader fills a request type from an HTTP request. A field is tagged with the path parameter, the
// query parameter or the member of the body that it holds. Query parameters are optional, and
// repeatable where the field is a slice.
type reader struct {
	path, query []parameter
	rule        queryRule
}

type parameter struct {
	name  string
	field []int
}

func newReader(request reflect.Type, rule queryRule) reader {
	read := reader{rule: rule}
	for _, field := range reflect.VisibleFields(request) {
		if name := field.Tag.Get("path"); name != "" {
			read.path = append(read.path, parameter{name, field.Index})
		}
		if name := field.Tag.Get("query"); name != "" {
			read.query = append(read.query, parameter{name, field.Index})
		}
	}
	return read
}

func (read reader) request(r *http.Request, request reflect.Value) error {
	for _, p := range read.path {
		text := chi.URLParam(r, p.name)
		if r.URL.RawPath != "" {
			// Then it is the raw path that was routed.
			var err error
			if text, err = url.PathUnescape(text); err != nil {
				return jobmon.FieldErrorf(p.name, "%s is not a valid part of a path", p.name)
			}
		}
		if err := setText(request.FieldByIndex(p.field), p.name, text); err != nil {
			return err
		}
	}
	if err := read.queryInto(r, request); err != nil {
		return err
	}
	if r.Method == http.MethodGet {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return jobmon.Errorf(jobmon.CodeTooLarge, "the body is larger than %d bytes; send less in one request", tooLarge.Limit)
		}
		return jobmon.Errorf(jobmon.CodeInvalid, "the body could not be read to its end: %w", err)
	}
	return decodeBody(body, request, read.rule)
}

func (read reader) queryInto(r *http.Request, request reflect.Value) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return jobmon.Errorf(jobmon.CodeInvalid, "the query is malformed: %w", err)
	}
	for name, texts := range values {
		if err := checkText("the query", name+strings.Join(texts, "")); err != nil {
			return err
		}
		known := slices.ContainsFunc(read.query, func(p parameter) bool { return p.name == name })
		if !known && read.rule == strictQuery {
			return jobmon.FieldErrorf(name, "there is no parameter %q; %s", name, read.allowed())
		}
	}
	for _, p := range read.query {
		texts, field := values[p.name], request.FieldByIndex(p.field)
		if field.Kind() != reflect.Slice && len(texts) > 1 {
			return jobmon.FieldErrorf(p.name, "give %s only once", p.name)
		}
		for _, text := range texts {
			if field.Kind() != reflect.Slice {
				err = setText(field, p.name, text)
			} else {
				item := reflect.New(field.Type().Elem()).Elem()
				err = setText(item, p.name, text)
				field.Set(reflect.Append(field, item))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (read reader) allowed() string {
	if len(read.query) == 0 {
		return "this route takes none"
	}
	names := make([]string, len(read.query))
	for i, p := range read.query {
		names[i] = p.name
	}
	return "use " + strings.Join(names, ", ")
}

// setText reads one parameter: a type that reads itself, an id, a text or true or false.
func setText(field reflect.Value, name, text string) error {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if own, ok := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr()); ok {
		return named(name, own.UnmarshalText([]byte(text)))
	}
	switch field.Kind() {
	case reflect.Int64:
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return jobmon.FieldErrorf(name, "%s must be a whole number from 1 on, not %q", name, text)
		}
		field.SetInt(id)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return jobmon.FieldErrorf(name, "%s must be true or false, not %q", name, text)
		}
		field.SetBool(text == "true")
	default:
		field.SetString(text)
	}
	return nil
}

// named says which part of a request an error is about, unless the error says so itself.
func named(name string, err error) error {
	known, ok := errors.AsType[*jobmon.Error](err)
	if !ok || known.Field != "" {
		return err
	}
	about := *known
	about.Field = name
	if !strings.Contains(about.Message, name) {
		about.Message = name + ": " + about.Message
	}
	return &about
}
