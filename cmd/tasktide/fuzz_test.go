package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"tasktide/internal/auth"
)

// FuzzSettings reads anything as each kind of setting. What is accepted is written in a way that means the same.
func FuzzSettings(f *testing.F) {
	for _, text := range []string{
		"", "/", "/tasktide", "/a/b/", "90d", "36h", "-5h", "-0d", "99999d", "1h0m0.000000001s", "members", "group:a, user:b c", "everyone,owners", "user:",
	} {
		f.Add(text, "/tasktide/../api")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		var base, base2 basePath
		if base.UnmarshalText([]byte(text)) == nil {
			if base2.UnmarshalText([]byte(base)) != nil || base2 != base {
				t.Errorf("the base path %q is read as %q, and that as %q", text, base, base2)
			}
			request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			request.URL = &url.URL{Path: path}
			base.serve(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), request)
		}
		var length, length2 age
		if length.UnmarshalText([]byte(text)) == nil {
			if length2.UnmarshalText([]byte(length.String())) != nil || length2 != length {
				t.Errorf("%q is read as %s, and that as %s", text, length, length2)
			}
		}
		var who, who2 auth.Principals
		if who.UnmarshalText([]byte(text)) == nil {
			if who2.UnmarshalText([]byte(who.String())) != nil || who2.String() != who.String() {
				t.Errorf("%q is read as %q, and that as %q", text, who, who2)
			}
		}
		_ = withoutPassword(text)
	})
}
