package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

// BenchmarkLogins measures what it costs to ask who one is, and whose a workflow is:
//
//	go test ./internal/api -run - -bench Logins -benchtime 2s -count 5
func BenchmarkLogins(b *testing.B) {
	cookies := auth.NewCookies(secret)
	var guard *api.Guard
	f := newFixture(b, func(c *api.Config) {
		guard = &api.Guard{Cookies: cookies, Tokens: c.Catalog.(store.Tokens)}
		if err := guard.Policy.Readers.UnmarshalText([]byte("owners")); err != nil {
			b.Fatal(err)
		}
	})
	known := f.bind("logins", 20)
	f.queue(known)
	config := api.Config{Catalog: f.store, Reader: f.store, Ledger: f.ledger, Timeline: timeline.New(f.store, nil), Guard: guard}
	guardedMux := api.New(config)
	g := guarded{f, cookies}
	state, read := g.token("ada", auth.ScopeState), g.token("ada", auth.ScopeRead)
	heartbeat := fmt.Sprintf("/api/v3/workflow_run/%d/log_heartbeat", known.run)
	page := fmt.Sprintf("/api/v2/workflow/%d/tasks?status=I", known.workflow)
	for _, c := range []struct {
		name, method, path, body string
		mux                      http.Handler
		header                   []string
	}{
		{"state/none", "POST", heartbeat, `{"status": "R", "next_report_increment": 90}`, f.mux, nil},
		{"state/token", "POST", heartbeat, `{"status": "R", "next_report_increment": 90}`, guardedMux, state},
		{"page/none", "GET", page, "", f.mux, nil},
		{"page/cookie", "GET", page, "", guardedMux, g.session("ada")},
		{"page/token", "GET", page, "", guardedMux, read},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				request := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				for i := 0; i < len(c.header); i += 2 {
					request.Header.Set(c.header[i], c.header[i+1])
				}
				w := httptest.NewRecorder()
				if c.mux.ServeHTTP(w, request); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
