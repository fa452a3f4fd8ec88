package testdb

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// redis is no database that Tasktide runs on, but is started as they are.
const redis Kind = "redis"

// redisPassword is what a URL has to escape.
const redisPassword = "p@ss/w%rd?"

// Redis is a Redis server of a test's own. It keeps nothing on disk.
type Redis struct{ server *Server }

// StartRedis starts a private Redis with more arguments, such as --maxmemory. It is ended with the test, by
// [Main] or by the end of this process.
func StartRedis(t testing.TB, arguments ...string) *Redis {
	t.Helper()
	program, err := find("redis-server", "redis-server")
	if err != nil {
		t.Fatal(err)
	}
	directory, err := os.MkdirTemp(baseDirectory(Settings{}), "tasktide-redis-") //nolint:usetesting // where an unprivileged server may look
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		kind: redis, directory: directory, host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		command: append([]string{
			program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no",
			"--requirepass", redisPassword,
		}, arguments...),
	}
	s.template = func() (string, error) { return "", nil }
	register(s)
	if err := s.giveAway(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	r := &Redis{s}
	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	return r
}

// Address returns where the server listens.
func (r *Redis) Address() string { return r.server.host }

// URL returns how a client of the server is told of it, as if it listened at an address.
func (r *Redis) URL(address string) string {
	return (&url.URL{Scheme: "redis", User: url.UserPassword("default", redisPassword), Host: address}).String()
}

// Kill ends the server as a power cut of its own would: all that it had is gone.
func (r *Redis) Kill() { r.server.Kill() }

// Restart starts the server again after [Redis.Kill], and waits until it answers.
func (r *Redis) Restart() error {
	if err := r.server.launch(); err != nil {
		return err
	}
	deadline := time.After(startTime)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		err := r.ping()
		if err == nil {
			return nil
		}
		select {
		case <-look.C:
			continue
		case <-r.server.exited:
		case <-deadline:
		}
		log, _ := os.ReadFile(filepath.Join(r.server.directory, "log"))
		return fmt.Errorf("a private Redis does not answer (%w); its log: %s", err, log)
	}
}

func (r *Redis) ping() error {
	conn, err := net.DialTimeout("tcp", r.server.host, startTime)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "PING\r\n"); err != nil {
		return err
	}
	// Without a password it refuses, which is an answer.
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}
