package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/limit"
	"tasktide/internal/store"
)

// held is a reader of which each snapshot waits.
type held struct {
	store.Reader
	begun, end chan struct{}
}

func (h held) View(ctx context.Context, read func(context.Context, store.Snapshot) error) error {
	select {
	case h.begun <- struct{}{}:
		<-h.end
	case <-h.end:
	case <-ctx.Done():
	}
	return h.Reader.View(ctx, read)
}

// While what pages ask for takes all that they may have, they are told so, and all others are answered.
func TestWhatIsAtOnceIsBounded(t *testing.T) {
	for name, change := range map[string]func(*api.Config){
		"requests":    func(c *api.Config) { c.ReadsAtOnce = 2 },
		"connections": func(c *api.Config) { c.Pages = limit.Reader(c.Pages, limit.NewTurns(2, c.TurnWait)) },
	} {
		t.Run(name, func(t *testing.T) {
			begun, end := make(chan struct{}), make(chan struct{})
			f := newFixture(t, func(c *api.Config) {
				c.Pages, c.TurnWait = held{c.Reader, begun, end}, time.Millisecond
				c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") })
				change(c)
			})
			b := f.bind("busy", 1)
			answered := make(chan answer)
			for range 2 {
				go func() { answered <- f.send("GET", "/api/v2/workflows", "") }()
				<-begun
			}
			refused := f.send("GET", "/api/v2/workflows", "")
			if got := refused.refused(503, "busy"); !strings.Contains(got.Message, "try again") || refused.header.Get("Retry-After") != "1" {
				t.Errorf("%q, Retry-After %q", got.Message, refused.header.Get("Retry-After"))
			}
			for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/v2/server", "/api/v3/time"} {
				if got := f.send("GET", path, ""); got.status != http.StatusOK {
					t.Errorf("%s: %d %s", path, got.status, got.body)
				}
			}
			f.send("POST", fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array), f.queueBody(b)).ok()
			close(end)
			for range 2 {
				(<-answered).ok()
			}
			f.checkAudit(b.workflow)
		})
	}
}

// JobMon's clients are told to come again too, and the pages are answered meanwhile.
func TestStateRoutesAtOnce(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	f := newFixture(t, func(c *api.Config) {
		c.StateAtOnce, c.TurnWait = 1, time.Millisecond
		c.Pages, c.Reader = c.Reader, held{c.Reader, begun, end}
	})
	answered := make(chan answer)
	sync := "/api/v3/workflow_run/1/sync_status"
	go func() { answered <- f.send("POST", sync, `{"task_instance_ids": [], "status": "Q"}`) }()
	<-begun
	f.send("GET", "/api/v2/time", "").refused(503, "busy")
	f.send("GET", "/api/v2/workflows", "").ok()
	close(end)
	(<-answered).refused(404, "not_found")
}

// slowProvider tells of each login that it is asked for, and answers none until it is released.
type slowProvider struct{ asked, released chan struct{} }

func (p slowProvider) LoginURL(context.Context, auth.Login) (string, error) {
	p.asked <- struct{}{}
	<-p.released
	return "https://provider.example.org", nil
}

func (p slowProvider) User(context.Context, auth.Login, string) (json.RawMessage, error) {
	return nil, errors.New("nobody comes back")
}

// However many ask for a login, a provider is asked for few at once, and the others are told so.
func TestLoginsAtOnce(t *testing.T) {
	const atOnce = 16
	provider := slowProvider{make(chan struct{}), make(chan struct{})}
	f := newFixture(t, func(c *api.Config) {
		c.TurnWait = time.Millisecond
		c.Guard = &api.Guard{Cookies: auth.NewCookies(secret), Login: &api.Login{
			Provider: provider, Base: &url.URL{Scheme: "http", Host: "tasktide.example.org", Path: "/"},
		}}
	})
	login := func() string {
		w := httptest.NewRecorder()
		f.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/auth/oidc/login", http.NoBody))
		return w.Header().Get("Location")
	}
	var logins errgroup.Group
	for range atOnce {
		logins.Go(func() error {
			if to := login(); to != "https://provider.example.org" {
				return fmt.Errorf("sent to %q", to)
			}
			return nil
		})
		<-provider.asked
	}
	if to := login(); !strings.Contains(to, "/login?reason=busy") {
		t.Errorf("one more is sent to %q", to)
	}
	close(provider.released)
	if err := logins.Wait(); err != nil {
		t.Error(err)
	}
}
