package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
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
