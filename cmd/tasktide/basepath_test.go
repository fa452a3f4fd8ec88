package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBasePathIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"/": "/", "": "/", "/tasktide": "/tasktide/", "/tasktide/": "/tasktide/", "/a/b-c_d.e~f": "/a/b-c_d.e~f/",
	} {
		var base basePath
		if err := base.UnmarshalText([]byte(text)); err != nil || string(base) != want {
			t.Errorf("%q is read as %q (%v), want %q", text, base, err, want)
		}
	}
	for _, text := range []string{
		"tasktide", "//", "//evil.example/", "/a//b/", "/../", "/a/./b/", "/a b/", `/"><script>/`, "/a?b/", "/a#b/", "/%61/", "/ä/",
		"https://host/", "/a\n", "/" + strings.Repeat("x", 200),
	} {
		var base basePath
		if err := base.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "like /tasktide/") {
			t.Errorf("%q is read as %q (%v)", text, base, err)
		}
	}
}

// A proxy may leave the base in the paths that it passes on, or take it away.
func TestBasePathIsNotSeenBehind(t *testing.T) {
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.EscapedPath()) })
	for _, c := range []struct{ base, path, want string }{
		{"/tasktide/", "/tasktide/api/v2/server", "/api/v2/server"},
		{"/tasktide/", "/tasktide/", "/"},
		{"/tasktide/", "/tasktide/workflows/a%2Fb", "/workflows/a%2Fb"},
		{"/tasktide/", "/api/v2/server", "/api/v2/server"},
		{"/tasktide/", "/", "/"},
		{"/tasktide/", "/tasktides/1", "/tasktides/1"},
		{"/a/b/", "/a/b/c", "/c"},
		{"/", "/tasktide/x", "/tasktide/x"},
	} {
		w := httptest.NewRecorder()
		basePath(c.base).serve(seen).ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, http.NoBody))
		if w.Body.String() != c.want {
			t.Errorf("base %s: %s is served as %s, want %s", c.base, c.path, w.Body, c.want)
		}
	}
}

func TestServerBelowABasePathWithoutTelemetry(t *testing.T) {
	server := start(t, "serve", "--database-url", tempDatabase(t), "--listen", "127.0.0.1:0", "--base-path", "/tasktide", "--telemetry", "off")
	for _, path := range []string{"/tasktide/api/v2/server", "/api/v2/server"} {
		if status, body := server.get(path); status != http.StatusOK || !strings.Contains(body, `"telemetry":false`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	// A binary without the page says so.
	if _, body := server.get("/tasktide/workflows/1"); !strings.Contains(body, `content="/tasktide/"`) && !strings.Contains(body, "make build") {
		t.Errorf("the page is %s", body)
	}
}
