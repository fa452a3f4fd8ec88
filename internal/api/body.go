package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/jobmon"
)

// decodeBody reads the members of a JSON object into the fields that are tagged with their names. A
// member that no field names is treated by the rule: JobMon's clients differ. One that is missing, or
// null, is an error unless its field is a pointer. No body is an empty object.
func decodeBody(body []byte, request reflect.Value, rule queryRule) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if err := checkText("the body", string(body)); err != nil {
		return err
	}
	if bytes.Contains(body, []byte(`\u0000`)) {
		if err := checkEscapes(body); err != nil {
			return err
		}
	}
	return decodeMembers(body, request, rule)
}

// checkEscapes finds a NUL that is written as an escape.
func checkEscapes(body []byte) error {
	tokens := json.NewDecoder(bytes.NewReader(body))
	tokens.UseNumber()
	for {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return jobmon.Errorf(jobmon.CodeInvalid, "the body is not valid JSON: %w", err)
		}
		if text, ok := token.(string); ok {
			if err := checkText("the body", text); err != nil {
				return err
			}
		}
	}
}

// decodeObject is [decodeBody] for an object within a body of JobMon's.
func decodeObject(data []byte, object any) error {
	return decodeMembers(data, reflect.ValueOf(object).Elem(), anyQuery)
}

func decodeMembers(data []byte, object reflect.Value, rule queryRule) error {
	var members map[string]json.RawMessage
	err := json.Unmarshal(data, &members)
	if _, wrongType := errors.AsType[*json.UnmarshalTypeError](err); wrongType || err == nil && members == nil {
		return jobmon.Errorf(jobmon.CodeInvalid, "a JSON object is expected, not %s", excerpt(data))
	}
	if err != nil {
		return jobmon.Errorf(jobmon.CodeInvalid, "the body is not valid JSON: %w", err)
	}
	var names []string
	for _, field := range reflect.VisibleFields(object.Type()) {
		if name := field.Tag.Get("body"); name != "" {
			if err := decodeValue(members[name], name, object.FieldByIndex(field.Index)); err != nil {
				return err
			}
			delete(members, name)
			names = append(names, name)
		}
	}
	if unknown := slices.Sorted(maps.Keys(members)); rule == strictQuery && len(unknown) > 0 {
		return jobmon.FieldErrorf(unknown[0], "there is no member %q; use %s", unknown[0], strings.Join(names, ", "))
	}
	return nil
}

// decodeValue reads one value, known to people by its name. data is nil when there is none.
func decodeValue(data json.RawMessage, name string, value reflect.Value) error {
	if data == nil || string(data) == "null" {
		switch {
		case value.Kind() == reflect.Pointer:
			return nil
		case data == nil:
			return jobmon.FieldErrorf(name, "%s is missing", name)
		default:
			return jobmon.FieldErrorf(name, "%s must not be null", name)
		}
	}
	err := json.Unmarshal(data, value.Addr().Interface())
	if _, told := errors.AsType[*jobmon.Error](err); err == nil || told {
		return named(name, err)
	}
	return jobmon.FieldErrorf(name, "%s must be %s, not %s", name, kindOf(value.Type()), excerpt(data))
}

// kindOf says in words what JSON a type reads.
func kindOf(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list, each item " + kindOf(t.Elem())
	case reflect.Map:
		return "an object, each value " + kindOf(t.Elem())
	case reflect.Struct:
		return "an object"
	default:
		return "a whole number"
	}
}

// excerpt keeps an error's message short, whatever was sent.
func excerpt(data []byte) string {
	const most = 40
	if len(data) <= most {
		return string(data)
	}
	return strings.ToValidUTF8(string(data[:most]), "") + "…"
}

// element is one place of a tuple.
type element struct {
	name  string
	value any
}

// decodeTuple reads a JSON array whose places have meanings. What follows the last known place is
// ignored, as unknown members of an object are.
func decodeTuple(data []byte, elements ...element) error {
	var values []json.RawMessage
	if json.Unmarshal(data, &values) != nil || len(values) < len(elements) {
		return jobmon.Errorf(jobmon.CodeInvalid, "a list of %d values is expected, not %s", len(elements), excerpt(data))
	}
	for i, e := range elements {
		if err := decodeValue(values[i], e.name, reflect.ValueOf(e.value).Elem()); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of what one request may name.
const (
	// maxItems is for what a request changes: twenty times what JobMon's client sends at once.
	maxItems = 10_000
	// maxKnown is for what a request only mentions: a distributor repeats all instances that it
	// knows, in every cycle.
	maxKnown = 500_000
)

// list is a list of things to change.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*[]T)(l)); err != nil {
		return err
	}
	return checkLength(len(*l), maxItems)
}

func checkLength(length, most int) error {
	if length > most {
		return jobmon.Errorf(jobmon.CodeTooLarge, "%d items are too many for one request; send at most %d", length, most)
	}
	return nil
}

// hash is a hash as decimal text. JobMon sends numbers of up to 78 digits, which no number type of a
// database holds.
type hash string

func (h *hash) UnmarshalJSON(data []byte) error { return h.UnmarshalText(bytes.Trim(data, `"`)) }

func (h *hash) UnmarshalText(text []byte) error {
	digits := len(bytes.Trim(text, "0123456789")) == 0
	if !digits || len(text) == 0 || len(text) > 78 {
		return jobmon.Errorf(jobmon.CodeInvalid, "a hash is a whole number of 1 to 78 digits, not %s", excerpt(text))
	}
	*h = hash(text)
	return nil
}

// label is a name that a database keeps in a short column.
type label string

func (l *label) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*string)(l)); err != nil {
		return err
	}
	if characters := len([]rune(string(*l))); characters == 0 || characters > 255 {
		return jobmon.Errorf(jobmon.CodeInvalid, "1 to 255 characters are expected, not %d", characters)
	}
	return nil
}

// within is the time in which a client promises to be heard of again. On the wire it is a number of
// seconds.
type within time.Duration

const maxWithin = 30 * 24 * time.Hour

func (d *within) UnmarshalJSON(data []byte) error {
	var seconds float64
	if json.Unmarshal(data, &seconds) != nil || seconds < 0 || seconds > maxWithin.Seconds() {
		return jobmon.Errorf(jobmon.CodeInvalid, "a number of seconds from 0 to %.0f is expected, not %s",
			maxWithin.Seconds(), excerpt(data))
	}
	*d = within(math.Round(seconds*1e6) * float64(time.Microsecond))
	return nil
}

// looseInt is a whole number that JobMon's workers send as a text.
type looseInt int64

func (n *looseInt) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		return jobmon.Errorf(jobmon.CodeInvalid, "a whole number is expected, not %s", excerpt(data))
	}
	*n = looseInt(value)
	return nil
}

// looseText is a text where JobMon's users may give another plain value.
type looseText string

func (t *looseText) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(t))
	case '{', '[':
		return jobmon.Errorf(jobmon.CodeInvalid, "a text is expected, not %s", excerpt(data))
	case 'n':
		*t = ""
	default:
		*t = looseText(data)
	}
	return nil
}

// jsonText is any JSON, kept as it is but for spaces.
type jsonText string

func (t *jsonText) UnmarshalJSON(data []byte) error {
	var compact bytes.Buffer
	err := json.Compact(&compact, data)
	*t = jsonText(compact.String())
	return err
}

// jsonObject is [jsonText] that is an object.
type jsonObject string

func (o *jsonObject) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return jobmon.Errorf(jobmon.CodeInvalid, "an object is expected, not %s", excerpt(data))
	}
	return (*jsonText)(o).UnmarshalJSON(data)
}

// text returns what an optional text says, and nothing when it is missing.
func text[T ~string](optional *T) string {
	if optional == nil {
		return ""
	}
	return string(*optional)
}
