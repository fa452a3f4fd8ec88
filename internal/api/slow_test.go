package api_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
)

// dial opens a connection of its own, with little room for what is not read, and says something on it.
func (f *fixture) dial(text string) net.Conn {
	f.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		f.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		f.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		f.t.Fatal(err)
	}
	return conn
}

// reading returns how many connections to the database are in use for reading.
func (f *fixture) reading() int {
	_, read := f.store.(interface {
		Pools() (write, read sql.DBStats)
	}).Pools()
	return read.InUse
}

// await waits until a condition holds, for 20 seconds at most.
func (f *fixture) await(what string, holds func() bool) {
	f.t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			f.t.Fatalf("%s: waited in vain", what)
		case <-tick.C:
		}
	}
}

// A body that does not come holds a socket and nothing else, until the time of its route is over.
func TestABodyThatDripsIsCutOff(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.StateTimeout = 300 * time.Millisecond; c.StateAtOnce = 1 })
	conn := f.dial("POST /api/v3/tool HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{\"name\"")
	if n := f.reading(); n != 0 {
		t.Errorf("it holds %d connections to the database", n)
	}
	f.send("GET", "/api/v3/time", "").ok()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || !response.Close {
		t.Errorf("it is answered with %d, and stays open: %t", response.StatusCode, !response.Close)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
}

// A table is made while it is sent, out of a snapshot: who does not read it is cut off.
func TestAnAnswerThatIsNotReadIsCutOff(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.TakeWait = 200 * time.Millisecond })
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=csv&granularity=1s&start=2025-05-01T00:00:00Z&end=2025-05-27T13:00:00Z", f.threeMinutes())
	f.dial("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
	f.await("it is begun", func() bool { return f.reading() == 1 })
	f.await("it is given up", func() bool { return f.reading() == 0 })
}

// Few long bodies are read at once.
func TestLongBodiesAreReadInTurns(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.TurnWait = time.Millisecond })
	const begin = "POST /api/v3/tool HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"
	for range 8 {
		if line, err := bufio.NewReader(f.dial(begin)).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q %v", line, err)
		}
	}
	f.send("POST", "/api/v3/tool", `{"name": "`+strings.Repeat("x", 2_000_000)+`"}`).refused(503, "busy")
	f.send("POST", "/api/v3/tool", `{"name": "x"}`).ok()
}
