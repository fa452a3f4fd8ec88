// Package docs serves the documentation: the repository's Markdown files, rendered as pages that need no script.
package docs

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	root   = "/docs/"    // the pages' path on the server, which is also the Markdown files' folder
	readme = "README.md" // the first page
	page   = ".html"
)

// order is the order of the navigation. Pages that it does not name follow by name.
var order = []string{
	readme, "docs/glossary.md", "docs/page.md", "docs/cli.md", "docs/operations.md", "docs/databases.md",
	"docs/monitoring.md", "docs/architecture.md",
}

var (
	//go:embed style.css
	style []byte
	//go:embed theme.js
	theme []byte
)

// file is a response body.
type file struct {
	body []byte
	// kind is the extension that its Content-Type follows from.
	kind string
	etag string
}

func newFile(kind string, body []byte) file {
	// Weak, because the same tag is sent with every content coding.
	return file{body: body, kind: kind, etag: fmt.Sprintf(`W/"%x"`, sha256.Sum256(body))}
}

// site is every file by its path below /docs/, and the page for every other path.
type site struct {
	files    map[string]file
	notFound file
}

// Handler serves README.md at /docs/, docs/NAME.md at /docs/NAME, and every other file in docs under its own name. It
// expects paths as they are below base, which is where browsers see the server: a path from slash to slash of
// characters that are plain in a URL and in HTML, such as "/tasktide/". Other paths return a page with status 404.
// Responses have an ETag and are revalidated on every use. Only GET and HEAD are allowed.
//
// The pages are rendered once, at the first request. Handler panics there if the files are not well-formed: a test
// keeps a build from containing such files.
func Handler(files fs.FS, base string) http.Handler {
	built := sync.OnceValue(func() *site {
		site, err := build(files, base)
		if err != nil {
			panic(fmt.Errorf("rendering the documentation: %w", err))
		}
		return site
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are allowed here.", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		name, below := strings.CutPrefix(r.URL.Path, root)
		if !below {
			w.Header().Set("Location", strings.TrimSuffix(base, "/")+root)
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		found, ok := built().files[name]
		if !ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				_, _ = w.Write(built().notFound.body) // the client has gone
			}
			return
		}
		w.Header().Set("ETag", found.etag)
		http.ServeContent(w, r, found.kind, time.Time{}, bytes.NewReader(found.body))
	})
}

func build(files fs.FS, base string) (*site, error) {
	site := &site{files: map[string]file{"style.css": newFile(".css", style), "theme.js": newFile(".js", theme)}}
	names, err := fs.Glob(files, "docs/*")
	if err != nil {
		return nil, err
	}
	sources := map[string][]byte{}
	for _, name := range append(names, readme) {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if path.Ext(name) == ".md" {
			sources[name] = content
		} else {
			site.files[strings.TrimPrefix(name, "docs/")] = newFile(path.Ext(name), content)
		}
	}
	rendered := make([]*document, 0, len(sources))
	for _, name := range inOrder(sources) {
		document, err := render(files, base, name, sources[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rendered = append(rendered, document)
	}
	for _, document := range rendered {
		body, err := layOut(base, rendered, document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", document.source, err)
		}
		site.files[pagePath(document.source)] = newFile(page, body)
	}
	body, err := layOut(base, rendered, nil)
	site.notFound = newFile(page, body)
	return site, err
}

// inOrder returns the names of the sources as the navigation lists them.
func inOrder(sources map[string][]byte) []string {
	var names []string
	for name := range sources {
		if !slices.Contains(order, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	known := slices.DeleteFunc(slices.Clone(order), func(name string) bool { return sources[name] == nil })
	return append(known, names...)
}

// pagePath returns the path below /docs/ of a Markdown file's page.
func pagePath(source string) string {
	if source == readme {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(source, "docs/"), ".md")
}
