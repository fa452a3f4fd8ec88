package cache_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

const prefix = "test:"

// log is written by many and read by a test.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// connect returns a cache that waits for Redis as long as a busy machine takes, unless a change says otherwise.
func connect(t *testing.T, url string, heard *log, change ...func(*cache.RedisConfig)) *cache.Redis {
	t.Helper()
	config := cache.RedisConfig{
		URL: url, Prefix: prefix, Log: slog.New(slog.NewTextHandler(heard, nil)),
		GetTimeout: 30 * time.Second, PutTimeout: 30 * time.Second, Rest: time.Millisecond,
	}
	for _, c := range change {
		c(&config)
	}
	kept, err := cache.NewRedis(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	return kept
}

// raw is a client past the cache.
func raw(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// eventually waits for a condition, a minute at most.
func eventually(t *testing.T, otherwise string, condition func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s a minute later", otherwise)
		}
	}
}

// store puts a value and waits until it is there.
func store(t *testing.T, kept *cache.Redis, key string, value []byte) {
	t.Helper()
	eventually(t, key+" is not stored", func() bool {
		kept.Put(t.Context(), key, value)
		got, found := kept.Get(t.Context(), key)
		return found && bytes.Equal(got, value)
	})
}

// What is under a key is found only when it is what was put there, whole.
func TestRedisBelievesNothingElse(t *testing.T) {
	server := testdb.StartRedis(t)
	url := server.URL(server.Address())
	var heard log
	kept, client := connect(t, url, &heard), raw(t, url)
	store(t, kept, "one", []byte("the answer to one"))
	store(t, kept, "two", []byte("the answer to two"))
	one, err := client.Get(t.Context(), prefix+"one").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	two, err := client.Get(t.Context(), prefix+"two").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if left := client.TTL(t.Context(), prefix+"one").Val(); left <= 0 || left > time.Hour {
		t.Errorf("it is kept for %s", left)
	}
	rapid.Check(t, func(t *rapid.T) {
		damaged := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 200),
			rapid.Map(rapid.IntRange(0, len(one)-1), func(n int) []byte { return one[:n] }),
			rapid.Map(rapid.IntRange(0, len(one)*8-1), func(bit int) []byte {
				flipped := bytes.Clone(one)
				flipped[bit/8] ^= 1 << (bit % 8)
				return flipped
			}),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 9), func(more []byte) []byte { return append(bytes.Clone(one), more...) }),
			rapid.Just(two),
		).Draw(t, "damaged")
		if err := client.Set(context.Background(), prefix+"one", damaged, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got, found := kept.Get(context.Background(), "one"); found {
			t.Fatalf("%q is taken for an answer: %q", damaged, got)
		}
	})
	if err := client.Del(t.Context(), prefix+"one").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.LPush(t.Context(), prefix+"one", "a list").Err(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, found := kept.Get(t.Context(), "one"); found {
			t.Error("a list is taken for an answer")
		}
	}
	store(t, kept, "one", []byte("again"))
	if heard.String() != "" {
		t.Errorf("logged: %s", &heard)
	}
}

// A Redis that is gone is told of once, and once when it is back, never with its password.
func TestRedisComesAndGoes(t *testing.T) {
	server := testdb.StartRedis(t)
	var heard log
	kept := connect(t, server.URL(server.Address()), &heard)
	store(t, kept, "key", []byte("value"))
	for range 2 {
		server.Kill()
		for range 100 {
			if _, found := kept.Get(t.Context(), "key"); found {
				t.Error("found in a server that is gone")
			}
			kept.Put(t.Context(), "key", []byte("value"))
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		store(t, kept, "key", []byte("value"))
	}
	if gone, back := strings.Count(heard.String(), "does not answer"), strings.Count(heard.String(), "answers again"); gone != 2 || back != 2 {
		t.Errorf("told %d times that it is gone and %d times that it is back:\n%s", gone, back, &heard)
	}
	refused := connect(t, strings.Replace(server.URL(server.Address()), "p%40ss", "p%40ssed", 1), &heard)
	for range 10 {
		if _, found := refused.Get(t.Context(), "key"); found {
			t.Error("found without the password")
		}
	}
	if text := heard.String(); strings.Count(text, "does not answer") != 3 || strings.Contains(text, "p@ss") || strings.Contains(text, "p%40ss") {
		t.Errorf("logged: %s", text)
	}
}

// A Redis that says nothing is asked three times and then left alone, and what is put on its way is bounded.
func TestRedisThatSaysNothing(t *testing.T) {
	server := testdb.StartRedis(t)
	proxy := testdb.StartProxy(t, server.Address())
	var heard log
	kept := connect(t, server.URL(proxy.Address()), &heard, func(c *cache.RedisConfig) {
		c.GetTimeout, c.Rest = 10*time.Millisecond, time.Hour
	})
	proxy.Hold()
	defer proxy.Release()
	for i := range 20 {
		kept.Put(t.Context(), fmt.Sprint(i), []byte("value"))
	}
	if stats := kept.Stats(); stats.Passed < 16 {
		t.Errorf("%d of 20 values were not put on their way, want 16", stats.Passed)
	}
	before := kept.Stats()
	for range 100 {
		if _, found := kept.Get(t.Context(), "key"); found {
			t.Error("found in a server that says nothing")
		}
	}
	if stats := kept.Stats(); stats.Passed-before.Passed != 97 || stats.Misses != 100 || stats.Hits != 0 {
		t.Errorf("%+v", stats)
	}
	if text := heard.String(); strings.Count(text, "does not answer") != 1 {
		t.Errorf("logged: %s", text)
	}
}

// A full Redis is a Redis that keeps nothing more.
func TestFullRedis(t *testing.T) {
	server := testdb.StartRedis(t, "--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
	var heard log
	url := server.URL(server.Address())
	kept, client := connect(t, url, &heard), raw(t, url)
	filler := bytes.Repeat([]byte("x"), 100_000)
	for i := 0; ; i++ {
		err := client.Set(t.Context(), fmt.Sprint("filler ", i), filler, 0).Err()
		if redis.IsOOMError(err) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		kept.Put(t.Context(), fmt.Sprint(i), filler)
		if got, found := kept.Get(t.Context(), fmt.Sprint(i)); found && !bytes.Equal(got, filler) {
			t.Errorf("%d is something else", i)
		}
	}
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	store(t, kept, "key", []byte("value"))
	if heard.String() != "" {
		t.Errorf("logged: %s", &heard)
	}
}

// babble starts a server that answers all that is said with the same words.
func babble(t *testing.T, words string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for said := make([]byte, 1024); err == nil; {
					if _, err = conn.Read(said); err == nil {
						_, err = conn.Write([]byte(words))
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// A server that ends each connection, or answers as no Redis does, is one that does not answer.
func TestRedisThatIsNone(t *testing.T) {
	nobody := testdb.StartProxy(t, "127.0.0.1:1") // where nobody listens: each connection ends at once
	for what, address := range map[string]string{
		"the end":        nobody.Address(),
		"HTTP":           babble(t, "HTTP/1.1 400 Bad Request\r\n\r\n"),
		"bytes":          babble(t, "\x00\xff\xfe nonsense"+strings.Repeat("\x00\r\n", 100)),
		"another's type": babble(t, "*1\r\n:7\r\n"),
		"no length":      babble(t, "$-7\r\n\r\n"),
		// For which no machine has the memory.
		"a length":           babble(t, "$99999999999999\r\n"),
		"an endless length":  babble(t, "$"+strings.Repeat("9", 100)+"\r\n"),
		"a number of values": babble(t, "*99999999999\r\n"),
		"a long line":        babble(t, "+"+strings.Repeat("x", 1<<20)),
	} {
		t.Run(what, func(t *testing.T) {
			var heard log
			kept := connect(t, "redis://:p%40ss@"+address, &heard)
			_ = kept.Check(t.Context())
			for range 10 {
				if got, found := kept.Get(t.Context(), "key"); found {
					t.Errorf("%q is taken for an answer", got)
				}
				kept.Put(t.Context(), "key", []byte("value"))
			}
			_ = kept.Check(t.Context())
			if text := heard.String(); strings.Count(text, "does not answer") != 1 || strings.Contains(text, "p@ss") {
				t.Errorf("logged: %s", text)
			}
		})
	}
	for _, url := range []string{"", "http://:p%40ss@host", "redis://:p%40ss@host:port", "redis://:p%40ss@host/name", "redis://:p@ss%zz@host"} {
		_, err := cache.NewRedis(cache.RedisConfig{URL: url})
		if jobmon.ErrorCode(err) != jobmon.CodeInvalid || strings.Contains(err.Error(), "p@ss") || strings.Contains(err.Error(), "40ss") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
