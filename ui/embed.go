// Package ui serves the page: the build of the React app beside it, embedded in the binary.
package ui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// The build leaves dist/.gitkeep in place, so that the package compiles before the first build.
//
//go:embed all:dist
var dist embed.FS

const (
	index   = "index.html"
	unbuilt = "The page was not built into this binary: run `make build`. The API under /api works without it.\n"
)

// Handler serves the page. It is asked for paths under "/"; base is where browsers see that, a path
// from slash to slash of characters that are plain in a URL and in HTML, such as "/tasktide/". Files
// under /assets/ carry a hash of their content in their names and may be cached for ever; every other
// path that names no file and has no extension is the app's own and gets index.html, which is never
// cached unasked, so that a new binary is seen at once. Only GET and HEAD are allowed. Without a
// build every path gets a 503 that says so.
func Handler(base string) http.Handler {
	build, err := fs.Sub(dist, "dist")
	if err != nil {
		// The name is a constant and valid: this is unreachable unless the line above is changed.
		panic(err)
	}
	return handler(build, base)
}

func handler(build fs.FS, base string) http.Handler {
	files := http.FileServerFS(build)
	page := pageBelow(build, base)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are allowed here.", http.StatusMethodNotAllowed)
			return
		}
		if page == nil {
			http.Error(w, unbuilt, http.StatusServiceUnavailable)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		switch {
		case name != index && isFile(build, name):
			cache := "no-cache"
			if strings.HasPrefix(name, "assets/") {
				cache = "public, max-age=31536000, immutable"
			}
			w.Header().Set("Cache-Control", cache)
			files.ServeHTTP(w, r)
		case strings.HasPrefix(name, "assets/") || path.Ext(name) != "" && name != index:
			// An old page that asks for a chunk of an older build must not get HTML for it.
			http.NotFound(w, r)
		case name == index:
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Location", base)
			w.WriteHeader(http.StatusMovedPermanently)
		default:
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeContent(w, r, index, time.Time{}, bytes.NewReader(page))
		}
	})
}

// pageBelow returns index.html, in which the build names files from "./" on, with the base in that place: the page
// is the same in every folder. It is nil when there is none.
func pageBelow(build fs.FS, base string) []byte {
	page, err := fs.ReadFile(build, index)
	if err != nil {
		return nil
	}
	return bytes.ReplaceAll(page, []byte(`="./`), []byte(`="`+base))
}

func isFile(build fs.FS, name string) bool {
	if path.Base(name) == ".gitkeep" {
		return false
	}
	info, err := fs.Stat(build, name)
	return err == nil && info.Mode().IsRegular()
}
