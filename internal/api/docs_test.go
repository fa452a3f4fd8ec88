package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"tasktide/internal/api"
	"tasktide/internal/docs"
)

// TestDocumentationIsServed: for everybody, compressed, and by the page's rules for scripts and styles.
func TestDocumentationIsServed(t *testing.T) {
	g := newGuarded(t, "owners")
	f := newFixture(t, func(config *api.Config) {
		config.Guard = &api.Guard{Cookies: g.cookies, Tokens: g.store}
		config.Docs = docs.Handler(fstest.MapFS{"README.md": {Data: []byte("# Tasktide\n\n" + strings.Repeat("Text. ", 1000))}}, "/")
	})
	send := func(method, path string, header ...string) *http.Response {
		request := httptest.NewRequest(method, path, http.NoBody)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		f.mux.ServeHTTP(w, request)
		return w.Result()
	}
	page := send(http.MethodGet, "/docs/", "Accept-Encoding", "gzip")
	if page.StatusCode != 200 || page.Header.Get("Content-Encoding") != "gzip" || page.Header.Get("ETag") == "" {
		t.Errorf("%d %v", page.StatusCode, page.Header)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") {
		t.Errorf("the policy is %q", policy)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{{"HEAD", "/docs/", 200}, {"GET", "/docs", 301}, {"GET", "/docs/style.css", 200}, {"GET", "/docs/none", 404}, {"POST", "/docs/", 404}} {
		if got := send(c.method, c.path); got.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got.StatusCode, c.status)
		}
	}
	again := send(http.MethodGet, "/docs/", "Accept-Encoding", "gzip", "If-None-Match", page.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again it is a %d", again.StatusCode)
	}
}
