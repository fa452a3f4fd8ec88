package docs_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tasktide"
	"tasktide/internal/docs"
)

const base = "/tools/tasktide/"

// served is the documentation behind a proxy that takes the base path away.
type served struct {
	t       *testing.T
	handler http.Handler
}

func newServed(t *testing.T, files fs.FS) served {
	t.Helper()
	return served{t, docs.Handler(files, base)}
}

func (s served) send(method, target string, header ...string) *http.Response {
	s.t.Helper()
	request := httptest.NewRequest(method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, request)
	return w.Result()
}

// get returns the body of a path as browsers see it.
func (s served) get(target string) string {
	s.t.Helper()
	path, below := strings.CutPrefix(target, strings.TrimSuffix(base, "/"))
	if !below {
		s.t.Errorf("%s is not below the base path", target)
	}
	answer := s.send(http.MethodGet, path)
	if answer.StatusCode != http.StatusOK {
		s.t.Errorf("GET %s: status %d", target, answer.StatusCode)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

var (
	links    = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	ids      = regexp.MustCompile(`\bid="([^"]*)"`)
	headings = regexp.MustCompile(`<h([1-6]) id="([^"]*)">(.*?)</h[1-6]>`)
	title    = regexp.MustCompile(`<title>(.*?)</title>`)
)

func found(pattern *regexp.Regexp, body string) []string {
	var all []string
	for _, match := range pattern.FindAllStringSubmatch(body, -1) {
		all = append(all, match[1])
	}
	return all
}

// crawl follows every link from the first page, and returns the pages by their paths.
func crawl(t *testing.T) map[string]string {
	t.Helper()
	s := newServed(t, tasktide.Documentation)
	pages := map[string]string{}
	next := []string{base + "docs/"}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if _, seen := pages[at]; seen {
			continue
		}
		pages[at] = s.get(at)
		for _, link := range found(links, pages[at]) {
			to, err := url.Parse(link)
			if err != nil {
				t.Errorf("%s: %v", at, err)
				continue
			}
			if to.Host == "" && strings.HasPrefix(to.Path, base+"docs/") {
				next = append(next, to.Path)
			}
		}
	}
	return pages
}

func TestEveryPageAndEveryLinkIsThere(t *testing.T) {
	pages := crawl(t)
	sources, err := fs.Glob(tasktide.Documentation, "docs/*.md")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, source := range sources {
		if pages[base+strings.TrimSuffix(source, ".md")] == "" {
			t.Errorf("no link leads to the page of %s", source)
		}
	}
	for at, body := range pages {
		for _, link := range found(links, body) {
			to, _ := url.Parse(link)
			switch {
			case to.Scheme == "https" || to.Scheme == "http":
				if to.Host == "" {
					t.Errorf("%s: %q has no host", at, link)
				}
			case to.Scheme != "":
				t.Errorf("%s: %q is neither a page nor a web address", at, link)
			case to.Path == base || to.Path == base+"favicon.svg":
			case to.Path != "" && pages[to.Path] == "":
				t.Errorf("%s: %q leads nowhere", at, link)
			case to.Fragment != "":
				target := pages[at]
				if to.Path != "" {
					target = pages[to.Path]
				}
				if !slices.Contains(found(ids, target), to.Fragment) {
					t.Errorf("%s: %q has no such section", at, link)
				}
			}
		}
	}
}

// TestLinksHoldInTheRepository: a file that the server does not have may be linked too, if the repository has it.
func TestLinksHoldInTheRepository(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	pages := crawl(t)
	checked := 0
	for _, source := range sources(t) {
		content, err := fs.ReadFile(tasktide.Documentation, source)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range found(link, string(content)) {
			target, err := url.Parse(to)
			if err != nil || target.Scheme != "" {
				continue
			}
			checked++
			name := source
			if target.Path != "" {
				name = path.Join(path.Dir(source), target.Path)
			}
			if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
				t.Errorf("%s: %s: %v", source, to, err)
			}
			if target.Fragment != "" && !slices.Contains(found(ids, pages[pageOf(name)]), target.Fragment) {
				t.Errorf("%s: %s has no such section", source, to)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d links were found", checked)
	}
}

func sources(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(tasktide.Documentation, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(names, "README.md")
}

func pageOf(source string) string {
	if source == "README.md" {
		return base + "docs/"
	}
	return base + strings.TrimSuffix(source, ".md")
}

func TestPagesAreWellFormed(t *testing.T) {
	titles := map[string]string{}
	for at, body := range crawl(t) {
		if !strings.HasPrefix(body, "<!doctype html>") {
			continue // an image, a style sheet or a script
		}
		name := found(title, body)
		if len(name) != 1 || titles[name[0]] != "" {
			t.Errorf("%s: the titles are %q, and %s has that too", at, name, titles[strings.Join(name, "")])
		}
		titles[strings.Join(name, "")] = at
		if !strings.Contains(body, `<html lang="en">`) || strings.Contains(body, "raw HTML omitted") && !strings.HasSuffix(at, "/operations") {
			t.Errorf("%s has no language, or HTML that is not shown", at)
		}
		level := 0
		for _, heading := range headings.FindAllStringSubmatch(body, -1) {
			now := int(heading[1][0] - '0')
			if now > level+1 || now == 1 && level > 0 {
				t.Errorf("%s: %s is of level %d after one of level %d", at, heading[3], now, level)
			}
			level = now
		}
		all := found(ids, body)
		slices.Sort(all)
		if unique := slices.Compact(slices.Clone(all)); len(unique) != len(all) {
			t.Errorf("%s: an id is used twice: %q", at, all)
		}
	}
}

func TestStatusesAndHeaders(t *testing.T) {
	s := newServed(t, tasktide.Documentation)
	for _, c := range []struct {
		target, kind string
		status       int
	}{
		{"/docs/", "text/html; charset=utf-8", 200},
		{"/docs/glossary", "text/html; charset=utf-8", 200},
		{"/docs/timeline.png", "image/png", 200},
		{"/docs/style.css", "text/css; charset=utf-8", 200},
		{"/docs/theme.js", "text/javascript; charset=utf-8", 200},
		{"/docs/nothing", "text/html; charset=utf-8", 404},
		{"/docs/glossary/", "text/html; charset=utf-8", 404},
		{"/docs/glossary.md", "text/html; charset=utf-8", 404},
		{"/docs/../README.md", "text/html; charset=utf-8", 404},
		{"/docs/%2e%2e/go.mod", "text/html; charset=utf-8", 404},
		{"/docs/..%2fgo.mod", "text/html; charset=utf-8", 404},
		{"/docs//etc/passwd", "text/html; charset=utf-8", 404},
	} {
		whole := s.send(http.MethodGet, c.target)
		head := s.send(http.MethodHead, c.target)
		for _, answer := range []*http.Response{whole, head} {
			if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != c.kind {
				t.Errorf("%s: %d %q", c.target, answer.StatusCode, answer.Header.Get("Content-Type"))
			}
			if got := answer.Header.Get("Cache-Control"); got != "no-cache" {
				t.Errorf("%s: Cache-Control %q", c.target, got)
			}
		}
		if body, err := io.ReadAll(head.Body); err != nil || len(body) > 0 {
			t.Errorf("HEAD %s has a body of %d bytes", c.target, len(body))
		}
		body, err := io.ReadAll(whole.Body)
		if err != nil || len(body) == 0 {
			t.Errorf("%s: no body, %v", c.target, err)
		}
		etag := whole.Header.Get("ETag")
		if c.status == 404 {
			if page := string(body); etag != "" || !strings.Contains(page, `href="`+base+`docs/"`) || !strings.Contains(page, "no such page") {
				t.Errorf("%s: it does not lead back: %s", c.target, page)
			}
			continue
		}
		if again := s.send(http.MethodGet, c.target, "If-None-Match", etag); etag == "" || again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: with ETag %q it is a %d", c.target, etag, again.StatusCode)
		}
	}
	if answer := s.send(http.MethodGet, "/docs"); answer.StatusCode != 301 || answer.Header.Get("Location") != base+"docs/" {
		t.Errorf("/docs: %d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	if answer := s.send(http.MethodPost, "/docs/"); answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestMarkdown(t *testing.T) {
	image, err := fs.ReadFile(tasktide.Documentation, "docs/timeline.png")
	if err != nil {
		t.Fatal(err)
	}
	s := newServed(t, fstest.MapFS{
		"README.md": {Data: []byte("# Tasktide\n\n![A picture](docs/a.png)\n\n[it](docs/other.md#the-second) [code `x`](go.mod) [here](#what-is-it-)\n\n" +
			"## What *is* `it`?! …\n\n## Twice\n\n## Twice\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```sh\n<make>\n```\n\n<script>alert(1)</script>\n")},
		"docs/other.md": {Data: []byte("# Other\n\n[up](../README.md#twice-1) [out](https://example.org/x) [source](../internal/docs)\n\n## The second\n")},
		"docs/a.png":    {Data: image},
	})
	first, other := s.get(base+"docs/"), s.get(base+"docs/other")
	for _, want := range []string{
		`<img src="/tools/tasktide/docs/a.png" alt="A picture" width="1280" height="800">`,
		`<a href="/tools/tasktide/docs/other#the-second">it</a> code <code>x</code> <a href="#what-is-it-">here</a>`,
		`<h2 id="what-is-it-">What <em>is</em> <code>it</code>?! …<a class="anchor" href="#what-is-it-"`,
		`<h2 id="twice">`, `<h2 id="twice-1">`, `<li><a href="#twice-1">Twice</a></li>`,
		`<div class="frame" role="group" tabindex="0" aria-label="Table: Twice">` + "\n<table>",
		`aria-label="Code: Twice">`, `&lt;make&gt;`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the first page has no %s", want)
		}
	}
	if strings.Contains(first, "alert(1)</script>") {
		t.Error("HTML of a file is in the page")
	}
	for _, want := range []string{
		`<a href="/tools/tasktide/docs/#twice-1">up</a> <a href="https://example.org/x">out</a> source`,
		`<a href="/tools/tasktide/docs/other" aria-current="page">Other</a>`,
	} {
		if !strings.Contains(other, want) {
			t.Errorf("the other page has no %s", want)
		}
	}
}

func TestAFileThatIsNotWellFormedIsRefused(t *testing.T) {
	for name, text := range map[string]string{"no title": "Text.\n", "no image": "# T\n\n![x](docs/none.png)\n"} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was served")
				}
			}()
			newServed(t, fstest.MapFS{"README.md": {Data: []byte(text)}}).get(base + "docs/")
		})
	}
}
