package ui

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, build fs.FS, method, target string) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler(build, "/tasktide/").ServeHTTP(recorder, httptest.NewRequest(method, target, nil))
	return recorder.Result()
}

func TestHandler(t *testing.T) {
	build := fstest.MapFS{
		".gitkeep":            {},
		"index.html":          {Data: []byte(`<meta name="base-path" content="./"><script src="./assets/index-a1b.js">`)},
		"favicon.svg":         {Data: []byte("<svg/>")},
		"assets/index-a1b.js": {Data: []byte("export {}")},
	}
	const forever = "public, max-age=31536000, immutable"
	tests := []struct {
		name, method, target string
		status               int
		cache, contentType   string
	}{
		{"root", "GET", "/", 200, "no-cache", "text/html"},
		{"client route", "GET", "/workflows/12?range=1h", 200, "no-cache", "text/html"},
		{"index by name", "GET", "/index.html", 301, "no-cache", ""},
		{"hashed asset", "GET", "/assets/index-a1b.js", 200, forever, "text/javascript"},
		{"head", "HEAD", "/assets/index-a1b.js", 200, forever, "text/javascript"},
		{"plain file", "GET", "/favicon.svg", 200, "no-cache", "image/svg+xml"},
		{"missing asset", "GET", "/assets/index-old.js", 404, "", "text/plain"},
		{"missing asset without extension", "GET", "/assets/x", 404, "", "text/plain"},
		{"missing file", "GET", "/robots.txt", 404, "", "text/plain"},
		{"assets folder is not listed", "GET", "/assets/", 200, "no-cache", "text/html"},
		{"placeholder", "GET", "/.gitkeep", 404, "", "text/plain"},
		{"out of the build", "GET", "/assets/../../embed.go", 404, "", "text/plain"},
		{"post", "POST", "/workflows/12", 405, "", "text/plain"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := get(t, build, test.method, test.target)
			if answer.StatusCode != test.status {
				t.Errorf("status %d, want %d", answer.StatusCode, test.status)
			}
			if got := answer.Header.Get("Cache-Control"); got != test.cache {
				t.Errorf("Cache-Control %q, want %q", got, test.cache)
			}
			if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, test.contentType) {
				t.Errorf("Content-Type %q, want %q", got, test.contentType)
			}
		})
	}
}

// A browser finds the files of the page, and its server, from every address below the base.
func TestPageNamesItsBase(t *testing.T) {
	build := fstest.MapFS{
		"index.html": {Data: []byte(`<meta name="base-path" content="./"><link href="./favicon.svg"><script src="./assets/index-a1b.js">`)},
	}
	for base, want := range map[string]string{
		"/":          `<meta name="base-path" content="/"><link href="/favicon.svg"><script src="/assets/index-a1b.js">`,
		"/tasktide/": `<meta name="base-path" content="/tasktide/"><link href="/tasktide/favicon.svg"><script src="/tasktide/assets/index-a1b.js">`,
	} {
		for _, path := range []string{"/", "/workflows/12"} {
			recorder := httptest.NewRecorder()
			handler(build, base).ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
			if got := recorder.Body.String(); got != want {
				t.Errorf("base %s: %s is\n%s, want\n%s", base, path, got, want)
			}
		}
	}
	if got := get(t, build, "GET", "/index.html").Header.Get("Location"); got != "/tasktide/" {
		t.Errorf("index.html is said to be at %q", got)
	}
}

// What the build makes of its own page names nothing from the root on.
func TestEmbeddedPageIsBelowItsBase(t *testing.T) {
	recorder := httptest.NewRecorder()
	Handler("/tasktide/").ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	body := recorder.Body.String()
	if recorder.Code == http.StatusOK && (strings.Count(body, `="/`) == 0 || strings.Count(body, `="/`) != strings.Count(body, `="/tasktide/`)) {
		t.Errorf("it names files elsewhere: %s", body)
	}
}

func TestHandlerWithoutBuildSaysSo(t *testing.T) {
	answer := get(t, fstest.MapFS{".gitkeep": {}}, "GET", "/")
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", answer.StatusCode)
	}
}

func TestHandlerServesEmbeddedBuildOrSaysThatThereIsNone(t *testing.T) {
	recorder := httptest.NewRecorder()
	Handler("/").ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	body := recorder.Body.String()
	if !strings.Contains(body, "<div id=\"root\">") && !strings.Contains(body, "make build") {
		t.Errorf("neither the page nor a hint: %d %q", recorder.Code, body)
	}
}

// TestAssetsAreCompressed: code comes with gzip to those that take it, and as it is to all others.
func TestAssetsAreCompressed(t *testing.T) {
	code := strings.Repeat("export {};\n", 1000)
	build := fstest.MapFS{"index.html": {Data: []byte("<html>")}, "assets/index-a1b.js": {Data: []byte(code)}}
	for accept, want := range map[string]string{
		"gzip": "gzip", "deflate, GZip;q=0.5, br": "gzip", "": "", "gzip;q=0": "", "gzip; q=0.0, br": "", "br": "",
	} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "/assets/index-a1b.js", nil)
		request.Header.Set("Accept-Encoding", accept)
		handler(build, "/").ServeHTTP(recorder, request)
		answer := recorder.Result()
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: coding %q, want %q", accept, got, want)
		}
		if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/javascript") {
			t.Errorf("Accept-Encoding %q: type %q", accept, got)
		}
		body := io.Reader(recorder.Body)
		if want == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != code {
			t.Errorf("Accept-Encoding %q: %d bytes and %v, want the code", accept, len(got), err)
		}
	}
}
