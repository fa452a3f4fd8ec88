package testdb

import (
	"errors"
	"net"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

// ClosedPort returns an address of this machine that nobody listens on.
func ClosedPort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Says demands an error of one sentence that contains a text and does not tell the secret, not in what it
// wraps either.
func Says(t testing.TB, err error, code jobmon.Code, text, secret string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %s and %q", code, text)
	}
	if jobmon.ErrorCode(err) != code || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v; want %s and %q", jobmon.ErrorCode(err), err, code, text)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(cause.Error(), secret) {
			t.Errorf("the password is told: %v", cause)
		}
	}
}
