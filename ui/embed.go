// Package ui serves the page: the build of the React app beside it, embedded in the binary.
package ui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
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
	packed := packAssets(build)
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
			if body, ok := packed[name]; ok && takesGzip(r) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Add("Vary", "Accept-Encoding")
				http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body()))
				return
			}
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

// packAssets returns the build's code and styles as small as gzip makes them, each once it is asked for: what
// compresses answers on their way has no time for that, and these are most of what a first visit waits for.
func packAssets(build fs.FS) map[string]func() []byte {
	packed := map[string]func() []byte{}
	for _, pattern := range []string{"assets/*.js", "assets/*.css"} {
		names, err := fs.Glob(build, pattern)
		if err != nil {
			panic(err) // only of a bad pattern
		}
		for _, name := range names {
			packed[name] = sync.OnceValue(func() []byte { return pack(build, name) })
		}
	}
	return packed
}

func pack(build fs.FS, name string) []byte {
	var packed bytes.Buffer
	content, err := fs.ReadFile(build, name)
	if err != nil {
		panic(err) // the file was listed, and is part of the binary
	}
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		panic(err) // only of a bad level
	}
	_, _ = writer.Write(content) // a buffer takes everything
	_ = writer.Close()
	return packed.Bytes()
}

// takesGzip tells whether a client takes answers in that coding: it is named, and not with a weight of nothing.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

func isFile(build fs.FS, name string) bool {
	if path.Base(name) == ".gitkeep" {
		return false
	}
	info, err := fs.Stat(build, name)
	return err == nil && info.Mode().IsRegular()
}
