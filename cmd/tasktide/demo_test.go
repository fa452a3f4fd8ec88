package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The demo names the run that is worth opening, and a browser's first visit of the start page leads there.
func TestDemoOpensOnARun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server := start(t, "demo", "--listen", "127.0.0.1:0", "--base-path", "/tide/")
	named := regexp.MustCompile(`^Open ` + regexp.QuoteMeta(server.url) + `/tide(/workflows/(\d+)) `).FindStringSubmatch(server.said)
	if named == nil {
		t.Fatalf("the demo said %q", server.said)
	}
	if _, about := server.get("/tide/api/v2/workflows/" + named[2]); !strings.Contains(about, `"population_model"`) {
		t.Errorf("it opens on %s", about)
	}

	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(path string, cookies ...*http.Cookie) *http.Response {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, server.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range cookies {
			request.AddCookie(cookie)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	for _, path := range []string{"/", "/tide/"} {
		first := visit(path)
		if where := first.Header.Get("Location"); first.StatusCode != http.StatusFound || where != "/tide"+named[1] {
			t.Errorf("the first visit of %s is answered with %s to %q", path, first.Status, where)
		}
		if again := visit(path, first.Cookies()...); again.StatusCode == http.StatusFound {
			t.Errorf("the second visit of %s leads to %s", path, again.Header.Get("Location"))
		}
		if other := visit(path, &http.Cookie{Name: seenCookie, Value: "an earlier demo"}); other.StatusCode != http.StatusFound {
			t.Errorf("a visit of %s after another demo is answered with %s", path, other.Status)
		}
	}
	if page := visit("/tide/workflows/1"); page.StatusCode == http.StatusFound {
		t.Errorf("another page leads to %s", page.Header.Get("Location"))
	}
}
