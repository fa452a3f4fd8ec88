package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// basePath is where a proxy shows the server: "/" or a path between two slashes.
type basePath string

// plainPath leaves out whatever would have to be escaped in a URL, a page or a script.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/$`)

const maxBasePath = 200

// UnmarshalText reads a path with or without its last slash.
func (b *basePath) UnmarshalText(text []byte) error {
	path := strings.TrimSuffix(string(text), "/") + "/"
	if len(path) > maxBasePath || !plainPath.MatchString(path) {
		return fmt.Errorf("%q is no base path; write one like /tasktide/, of letters, digits and - . _ ~, up to %d characters",
			text, maxBasePath)
	}
	*b = basePath(path)
	return nil
}

// below returns the URL of the page on a server's.
func (b basePath) below(server string) string { return server + strings.TrimSuffix(string(b), "/") }

// serve hands requests on as if they came to the root. A proxy may pass paths on as they are, or without the base.
func (b basePath) serve(next http.Handler) http.Handler {
	if b == "/" {
		return next
	}
	below := http.StripPrefix(strings.TrimSuffix(string(b), "/"), next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path+"/", string(b)) {
			below.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
