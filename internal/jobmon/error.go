package jobmon

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is, so that an edge can choose its answer without
// reading the message.
type Code string

// The codes. Anything that carries none of them is CodeInternal.
const (
	CodeInvalid         Code = "invalid"           // the request can never work as it stands
	CodeAnonymous       Code = "unauthenticated"   // nobody may ask so without saying who it is
	CodeForbidden       Code = "forbidden"         // the one who asks may not
	CodeNotFound        Code = "not_found"         // what the request names does not exist, or is not for the one who asks
	CodeConflict        Code = "conflict"          // the request contradicts what is stored
	CodeTooLarge        Code = "too_large"         // the request exceeds a bound
	CodeContention      Code = "contention"        // others hold what is needed; the same request may work later
	CodeUnavailable     Code = "unavailable"       // the database or the server cannot answer now; try later
	CodeBusy            Code = "busy"              // others are being answered; the same request may work soon
	CodeTooManyRequests Code = "too_many_requests" // the one who asks does so too often; the same request may work soon
	CodeInternal        Code = "internal"          // a defect, or a failure nobody foresaw
)

// Error is a failure that a person can act on: Message says what to do, Field names the part of the
// request that is wrong (empty when none is), Cause what is wrong with the database (empty when nothing is),
// and the wrapped error holds the detail for the log.
type Error struct {
	Code    Code
	Cause   Cause
	Field   string
	Message string
	Err     error
}

// Errorf returns an [Error] with the given code and message. A %w verb keeps its cause for the log;
// the cause's text is then part of the message.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// FieldErrorf is [Errorf] with CodeInvalid for one named part of a request.
func FieldErrorf(field, format string, args ...any) *Error {
	err := Errorf(CodeInvalid, format, args...)
	err.Field = field
	return err
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code of the first [Error] in err's chain, CodeInternal when there is none,
// and "" when err is nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Code
	}
	return CodeInternal
}
