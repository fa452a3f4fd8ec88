package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/limit"
	"tasktide/internal/store"
)

// rated are the routes of which each caller has an allowance.
var rated = []string{
	"/api/auth/oidc/auth", "/api/auth/oidc/login",
	"/api/v2/task/{task_id}/status_history", "/api/v2/workflow/{workflow_id}/compare", "/api/v2/workflow/{workflow_id}/suspects",
	"/api/v2/workflow/{workflow_id}/task_concurrency", "/api/v2/workflow/{workflow_id}/task_status_changes",
	"/api/v2/workflow/{workflow_id}/tasks", "/api/v2/workflow/{workflow_id}/templates", "/api/v2/workflows",
}

// spend asks for workflows until a caller's allowance is spent, and returns how often it was answered.
func spend(t *testing.T, f *fixture, address string, header ...string) (answered int) {
	t.Helper()
	for ; answered < 100; answered++ {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/workflows", http.NoBody)
		r.RemoteAddr = address
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		f.mux.ServeHTTP(w, r)
		if w.Code != http.StatusTooManyRequests {
			continue
		}
		var told struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(w.Body.Bytes(), &told) != nil || told.Error.Code != "too_many_requests" ||
			!strings.Contains(told.Error.Message, "try again in 1 s") || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %v", w.Body, w.Header())
		}
		break
	}
	return answered
}

// allowance is what the rate of the tests allows at once; nobody gets another within a test, or two if it is slow.
const allowance = 10

func wantAllowance(t *testing.T, who string, got int) {
	t.Helper()
	if got < allowance || got > allowance+5 {
		t.Errorf("%s: %d were answered, want %d", who, got, allowance)
	}
}

func TestCallersHaveAnAllowanceOfWhatIsExpensive(t *testing.T) {
	var refused atomic.Int64
	f := newFixture(t, func(c *api.Config) {
		c.Rates = limit.NewRates(1)
		c.Refused = func(code jobmon.Code) {
			if code == jobmon.CodeTooManyRequests {
				refused.Add(1)
			}
		}
	})
	wantAllowance(t, "the first", spend(t, f, "192.0.2.1:1000"))
	if refused.Load() != 1 {
		t.Errorf("%d refusals were told", refused.Load())
	}
	var now []string
	walk(t, f.mux, func(method, pattern string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, placeholder.ReplaceAllString(pattern, "4711"), http.NoBody)
		r.RemoteAddr = "192.0.2.1:2000"
		f.mux.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests {
			now = append(now, pattern)
		}
	})
	if slices.Sort(now); !slices.Equal(now, rated) {
		t.Errorf("there is an allowance of %v", now)
	}
	wantAllowance(t, "another address", spend(t, f, "192.0.2.2:1000"))
	wantAllowance(t, "a header that anybody can send", spend(t, f, "192.0.2.3:1", "X-Forwarded-For", "192.0.2.4"))
	if n := spend(t, f, "192.0.2.3:1", "X-Forwarded-For", "192.0.2.5", "X-Real-IP", "192.0.2.6"); n > 1 {
		t.Errorf("another such header gives %d more", n)
	}
	wantAllowance(t, "a network", spend(t, f, "[2001:db8:1:2::1]:1"))
	if n := spend(t, f, "[2001:db8:1:2:f::9]:1"); n > 1 {
		t.Errorf("another address of it has %d more", n)
	}
}

func TestATrustedProxyTellsWhoAsks(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.Rates, c.TrustedProxies = limit.NewRates(1), []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}
	})
	for _, who := range []string{"198.51.100.1", "198.51.100.2", "6.6.6.6, 198.51.100.3"} {
		wantAllowance(t, who, spend(t, f, "192.0.2.7:1", "X-Forwarded-For", who))
	}
	if n := spend(t, f, "192.0.2.8:1", "X-Forwarded-For", "7.7.7.7, 198.51.100.3"); n > 1 {
		t.Errorf("what a client sends itself gives %d more", n)
	}
	wantAllowance(t, "past the proxy", spend(t, f, "203.0.113.1:1", "X-Forwarded-For", "198.51.100.9"))
	if n := spend(t, f, "203.0.113.1:1", "X-Forwarded-For", "198.51.100.8"); n > 1 {
		t.Errorf("past the proxy, another header gives %d more", n)
	}
}

func TestUsersAndTokensAreCallers(t *testing.T) {
	cookies := auth.NewCookies(secret)
	f := newFixture(t, func(c *api.Config) {
		c.Rates = limit.NewRates(1)
		c.Guard = &api.Guard{Cookies: cookies, Tokens: c.Catalog.(store.Tokens)}
		if err := c.Guard.Policy.Readers.UnmarshalText([]byte("everyone")); err != nil {
			t.Fatal(err)
		}
	})
	g := guarded{f, cookies}
	for i, who := range [][]string{nobody, g.session("ada"), g.session("bob"), g.token("ada", auth.ScopeRead), g.token("ada", auth.ScopeRead)} {
		wantAllowance(t, fmt.Sprint(i), spend(t, f, "192.0.2.1:1", who...))
		if n := spend(t, f, "192.0.2.1:2", who...); n > 1 {
			t.Errorf("%d: %d more", i, n)
		}
	}
}
