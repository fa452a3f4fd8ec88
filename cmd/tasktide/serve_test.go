package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// newTestServer returns a server that does not run yet.
func newTestServer(t *testing.T) *server {
	t.Helper()
	db, err := databaseFlag{DatabaseURL: tempDatabase(t)}.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	quiet := &terminal{out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler)}
	s, err := newServer(t.Context(), serverFlags{Listen: "127.0.0.1:0", BasePath: "/"}, db, nil, nil, retentionFlags{}, quiet, &databaseFlag{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send opens a connection and says something on it.
func send(t *testing.T, s *server, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// begin is a request whose body the server asks for and does not get.
const begin = "POST /api/v3/tool HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n"

func TestARequestThatNeverEndsIsCutOffWhenDrained(t *testing.T) {
	s := newTestServer(t)
	s.drain, s.http.ReadTimeout = 50*time.Millisecond, 0
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	conn, answer := send(t, s, begin)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server said %q, %v", line, err)
	}
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "still under way") {
		t.Errorf("the server ended with %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(answer); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

// Clients that dawdle hold a connection each, and nobody else up, until their time is over.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for name, bound := range map[string]*time.Duration{
		"headers": &s.http.ReadHeaderTimeout, "request": &s.http.ReadTimeout, "answer": &s.http.WriteTimeout, "silence": &s.http.IdleTimeout,
	} {
		if *bound <= 0 || *bound > 5*time.Minute {
			t.Errorf("the time for %s is %s", name, *bound)
		}
	}
	s.http.ReadHeaderTimeout, s.http.ReadTimeout, s.http.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()

	slow := map[string]*bufio.Reader{}
	for name, text := range map[string]string{
		"no word":      "",
		"half a line":  "GET /healthz HT",
		"half headers": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"no body":      begin,
		"half a body":  strings.Replace(begin, "Expect: 100-continue\r\n", "", 1) + `{"name"`,
		"no more":      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		_, slow[name] = send(t, s, text)
	}
	_, answer := send(t, s, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
		t.Errorf("beside slow clients the server says %q, %v", line, err)
	}
	for name, connection := range slow {
		if all, _ := io.ReadAll(connection); strings.Contains(string(all), "HTTP/1.1 5") {
			t.Errorf("%s is answered with %q", name, all)
		}
	}
	_, answer = send(t, s, fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 200<<10)))
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "431") {
		t.Errorf("endless headers are answered with %q, %v", line, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
