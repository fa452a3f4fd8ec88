package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/redis/go-redis/v9"

	"tasktide/internal/api"
	"tasktide/internal/cache"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const inColumns = "/api/v2/workflow/%d/task_concurrency?format=columns&start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00Z"

// kept makes a fixture keep answers in memory.
func kept(config *api.Config) {
	config.Timeline = config.Timeline.WithCache(cache.NewMemory(1 << 20))
}

// TestETag: who has the answer is told so, as long as it is the answer.
func TestETag(t *testing.T) {
	f := newFixture(t, kept)
	path := fmt.Sprintf(inColumns, f.threeMinutes())
	first := f.send("GET", path, "")
	first.ok()
	tag := first.header.Get("ETag")
	if !regexp.MustCompile(`^W/"[0-9a-f]{32}-[0-9a-f]{32}"$`).MatchString(tag) || first.header.Get("Cache-Control") != "no-cache" ||
		first.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v", first.header)
	}
	for _, known := range []string{tag, strings.TrimPrefix(tag, "W/"), "*", `"a", W/"b",` + tag, tag + `, "c"`} {
		got := f.send("GET", path, "", "If-None-Match", known)
		if got.status != http.StatusNotModified || len(got.body) > 0 || got.header.Get("ETag") != tag ||
			got.header.Get("Cache-Control") != "no-cache" || got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v %q", known, got.status, got.header, got.body)
		}
	}
	for _, other := range []string{`"a"`, "W/", strings.ReplaceAll(tag, `"`, ""), tag[:len(tag)-2] + `"`, ""} {
		if got := f.send("GET", path, "", "If-None-Match", other); got.status != http.StatusOK || !bytes.Equal(got.body, first.body) {
			t.Errorf("%s: %d %s", other, got.status, got.body)
		}
	}
	for _, query := range []string{"&stat=peak", "&stat=mean", "&status=ACTIVE", "&granularity=10s", "&top=1", "&task_template_name=burst",
		"&beside=R", "&beside=R&beside=ACTIVE"} {
		got := f.send("GET", path+query, "")
		if got.ok(); bytes.Equal(got.body, first.body) {
			t.Errorf("%s: the same answer", query)
		}
	}
	f.send("GET", path+"&granularity=2s", "", "If-None-Match", "*").refused(http.StatusBadRequest, "invalid")
	missing := f.send("GET", fmt.Sprintf(inColumns, 999), "", "If-None-Match", "*")
	missing.refused(http.StatusNotFound, "not_found")
	if missing.header.Get("ETag") != "" || missing.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a refusal: %v", missing.header)
	}
}

// TestETagChanges: with a transition, a limit and a roll-up there is another answer.
func TestETagChanges(t *testing.T) {
	f := newFixture(t, kept)
	b := f.bind("live", 2)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&time_range=7d&granularity=1d&status=ACTIVE&stat=peak", b.workflow)
	before := f.send("GET", path, "")
	before.ok()
	for _, c := range []struct {
		what string
		does func()
	}{
		{"transitions", func() { f.queue(b) }},
		{"a limit", func() {
			f.send(http.MethodPost, "/api/v3/workflow", fmt.Sprintf(`{"tool_version_id": %d, "dag_id": %d, "workflow_args_hash": %s,
				"task_hash": %s, "description": null, "name": "live", "workflow_args": null, "max_concurrently_running": 5,
				"workflow_attributes": {}}`, b.toolVersion, b.dag, hash78, taskHash78)).ok()
		}},
	} {
		c.does()
		after := f.send("GET", path, "", "If-None-Match", before.header.Get("ETag"))
		if after.ok(); bytes.Equal(after.body, before.body) {
			t.Errorf("%s: still %s", c.what, after.body)
		}
		before = after
	}
	if !strings.Contains(string(before.body), `"max_concurrently_running":5`) {
		t.Errorf("%s", before.body)
	}
	past := fmt.Sprintf(inColumns, f.threeMinutes())
	rows := f.send("GET", past, "")
	if err := upkeep.NewRollUp(f.store, slog.New(slog.DiscardHandler)).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	cells := f.send("GET", past, "", "If-None-Match", rows.header.Get("ETag"))
	if cells.ok(); numbersIn(t, rows.body) != numbersIn(t, cells.body) {
		t.Errorf("%s\nand after the roll-up\n%s", rows.body, cells.body)
	}
	f.send("GET", past, "", "If-None-Match", cells.header.Get("ETag")).told(http.StatusNotModified)
}

func (a answer) told(status int) {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: %d, want %d", a.what, a.status, status)
	}
}

// numbersIn leaves out of columns when and of which version they are.
func numbersIn(t *testing.T, body []byte) string {
	t.Helper()
	var columns map[string]any
	if err := json.Unmarshal(body, &columns); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	delete(columns, "generated_at")
	delete(columns, "version")
	text, err := json.Marshal(columns)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// received requests a path as a client that takes some codings, and returns the coding of the answer and what it
// decodes to.
func (f *fixture) received(path, accept string) (coding string, header http.Header, body []byte) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.url+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept-Encoding", accept)
	}
	// Without this the client would ask for gzip and decode it.
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	var decoded io.Reader = response.Body
	switch coding = response.Header.Get("Content-Encoding"); coding {
	case "gzip":
		decoded, err = gzip.NewReader(response.Body)
	case "zstd":
		decoded, err = zstd.NewReader(response.Body)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if body, err = io.ReadAll(decoded); err != nil {
		f.t.Fatalf("%s as %s: %v", path, accept, err)
	}
	return coding, response.Header, body
}

// TestCompression: what is long is compressed as the client likes it best, and is what it would be otherwise.
func TestCompression(t *testing.T) {
	page := strings.Repeat("export const answer = 42;\n", 100)
	files := http.FileServerFS(fstest.MapFS{
		"app.js": {Data: []byte(page)}, "short.js": {Data: []byte("export {}")}, "font.woff2": {Data: []byte(page)},
	})
	f := newFixture(t, kept, func(c *api.Config) { c.UI = files })
	workflow := f.threeMinutes()
	columns := fmt.Sprintf(inColumns, workflow) + "&granularity=1s"
	rows := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?granularity=1s&zeros=true"+
		"&start=2025-05-27T12:00:00Z&end=2025-05-27T13:00:00Z", workflow) // longer than what is held back
	table := strings.Replace(columns, "columns", "csv", 1)
	for _, c := range []struct {
		path         string
		accept, want string
	}{
		{columns, "", ""}, {columns, "gzip", "gzip"}, {columns, "zstd", "zstd"}, {columns, "gzip, deflate, br, zstd", "zstd"},
		{columns, "gzip;q=1, zstd;q=0.5", "gzip"}, {columns, "zstd;q=0, gzip;q=0", ""}, {columns, "br", ""}, {columns, "gzip", "gzip"},
		{rows, "", ""}, {rows, "gzip", "gzip"}, {rows, "gzip, zstd", "zstd"}, {rows, "identity", ""},
		{table, "gzip", "gzip"}, {table, "zstd", "zstd"},
		{"/api/openapi.json", "gzip", "gzip"}, {"/api/openapi.json", "zstd", "zstd"},
		{"/api/v2/server", "gzip, zstd", ""},
		{"/app.js", "gzip", "gzip"}, {"/app.js", "gzip, zstd", "zstd"}, {"/short.js", "gzip, zstd", ""}, {"/font.woff2", "gzip, zstd", ""},
	} {
		t.Run(c.path+" as "+c.accept, func(t *testing.T) {
			_, _, plain := f.received(c.path, "")
			coding, header, body := f.received(c.path, c.accept)
			if coding != c.want {
				t.Errorf("it comes as %q, want %q", coding, c.want)
			}
			at := regexp.MustCompile(`# generated: .*|"generated_at":"[^"]*"`)
			plain, body = at.ReplaceAll(plain, nil), at.ReplaceAll(body, nil)
			if len(plain) == 0 || !bytes.Equal(plain, body) {
				t.Errorf("%d bytes, plain %d: %.200q, plain %.200q", len(body), len(plain), body, plain)
			}
			if header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%v", header)
			}
		})
	}
}

// TestRedisCostsTime: whatever becomes of Redis, the answers are those without it, and each of them comes.
func TestRedisCostsTime(t *testing.T) {
	server := testdb.StartRedis(t)
	proxy := testdb.StartProxy(t, server.Address())
	f := newFixture(t, func(c *api.Config) {
		inRedis, err := cache.NewRedis(cache.RedisConfig{
			URL: server.URL(proxy.Address()), Prefix: "test:", Log: c.Log, GetTimeout: 200 * time.Millisecond, Rest: time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = inRedis.Close() })
		c.Timeline = c.Timeline.WithCache(inRedis)
	})
	workflow := f.threeMinutes()
	var paths []string
	for _, query := range []string{"", "&stat=mean", "&stat=peak", "&stat=entered", "&status=ACTIVE", "&granularity=1s", "&top=1"} {
		paths = append(paths, fmt.Sprintf(inColumns, workflow)+query)
	}
	want := map[string]string{}
	plain := api.New(api.Config{Catalog: f.store, Reader: f.store, Ledger: f.ledger, Timeline: timeline.New(f.store, nil)})
	for _, path := range paths {
		w := httptest.NewRecorder()
		plain.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		want[path] = numbersIn(t, w.Body.Bytes())
	}
	ask := func(how string) {
		t.Helper()
		for _, path := range append(paths, paths...) {
			got := f.send("GET", path, "")
			if got.ok(); numbersIn(t, got.body) != want[path] {
				t.Errorf("%s: %s\n%s\nwant\n%s", how, path, got.body, want[path])
			}
		}
	}
	options, err := redis.ParseURL(server.URL(server.Address()))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	keys := func() []string {
		t.Helper()
		found, err := client.Keys(context.Background(), "test:*").Result()
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	fill := func() {
		t.Helper()
		for range 1000 {
			if ask("filling"); len(keys()) == len(paths) {
				return
			}
		}
		t.Fatalf("after 1000 rounds there are %d keys", len(keys()))
	}
	fill()
	ask("filled")
	for i, key := range keys() {
		poison := []byte(strings.Repeat("\x00garbage\xff", i+1))
		if i%2 == 1 {
			if poison, err = client.Get(t.Context(), keys()[i-1]).Bytes(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Set(t.Context(), key, poison, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	ask("poisoned")
	fill()
	if err := client.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	ask("full")
	if err := client.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	fill()
	proxy.Hold()
	ask("silent")
	proxy.Release()
	ask("back")
	server.Kill()
	ask("gone")
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	fill()
	ask("restarted")
	if strings.Contains(f.log.String(), "a request failed") {
		t.Errorf("logged: %s", f.log)
	}
}
