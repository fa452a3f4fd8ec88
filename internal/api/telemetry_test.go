package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"tasktide/internal/api"
)

func listening(c *api.Config) { c.Telemetry = true }

// tell sends what a page tells, as a browser's beacon does.
func (f *fixture) tell(body string, header ...string) answer {
	f.t.Helper()
	return f.send("POST", "/api/v2/telemetry", body, append([]string{"Content-Type", "text/plain;charset=UTF-8"}, header...)...)
}

// told returns all that the server tells of it, without the instant that it counts from.
func (f *fixture) told() string {
	f.t.Helper()
	got := f.send("GET", "/api/v2/telemetry", "").ok().(map[string]any)
	delete(got, "since")
	return fmt.Sprint(got)
}

func TestTelemetry(t *testing.T) {
	f := newFixture(t, listening)
	const nothing = "map[enabled:true exports:map[csv:map[count:0 per_visit:<nil>] png:map[count:0 per_visit:<nil>] svg:map[count:0 per_visit:<nil>]] " +
		"filters_median:<nil> render_ms:map[count:0 p50:<nil> p90:<nil> p99:<nil>] visits:0]"
	if got := f.told(); got != nothing {
		t.Errorf("before anything is told: %s", got)
	}
	for _, body := range []string{
		`{"renders_ms": [10, 20, 30, 40, 50, 50, 50, 50, 50, 60], "exports": ["png", "csv", "csv"], "visit": {"filters": 0}}`,
		`{"visit": {"filters": 4}}`,
		`{"exports": ["csv"]}`,
		`{}`,
	} {
		if got := f.tell(body); got.status != 204 {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	// 50 ms lie in a class whose middle is 49.92 ms.
	const want = "map[enabled:true exports:map[csv:map[count:3 per_visit:1.5] png:map[count:1 per_visit:0.5] svg:map[count:0 per_visit:0]] " +
		"filters_median:2 render_ms:map[count:10 p50:49.92 p90:49.92 p99:60.16] visits:2]"
	if got := f.told(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// A visit counts once, however often its filters become more.
func TestTelemetryOfAVisitThatGoesOn(t *testing.T) {
	f := newFixture(t, listening)
	for _, c := range []struct {
		body           string
		visits, median string
	}{
		{`{"visit": {"filters": 1}}`, "1", "1"},
		{`{"visit": {"filters": 3, "replaces": 1}}`, "1", "3"},
		{`{"visit": {"filters": 0}}`, "2", "1.5"},
		{`{"visit": {"filters": 50}}`, "3", "3"},
		// The server that heard of it before has ended.
		{`{"visit": {"filters": 9, "replaces": 8}}`, "4", "6"},
	} {
		f.tell(c.body)
		got := f.send("GET", "/api/v2/telemetry", "").ok()
		if visits, median := fmt.Sprint(at(t, got, "visits")), fmt.Sprint(at(t, got, "filters_median")); visits != c.visits || median != c.median {
			t.Errorf("after %s: %s visits, median %s; want %s and %s", c.body, visits, median, c.visits, c.median)
		}
	}
}

func TestBadTelemetryStoresNothing(t *testing.T) {
	f := newFixture(t, listening)
	before := f.told()
	const path = "/api/v2/telemetry"
	many := strings.Repeat("1,", 100) + "1"
	f.check([]refusal{
		{"POST", path, `{"renders_ms": [1]`, 400, "invalid", "", "not valid JSON"},
		{"POST", path, `[]`, 400, "invalid", "", "JSON object"},
		{"POST", path, `{"renders_ms": [1], "user": "ada"}`, 400, "invalid", "user", "use renders_ms, exports, visit"},
		{"POST", path, `{"renders_ms": 1}`, 400, "invalid", "renders_ms", "list"},
		{"POST", path, `{"renders_ms": [1, -1]}`, 400, "invalid", "renders_ms", "0 to 600000"},
		{"POST", path, `{"renders_ms": [1, 600001]}`, 400, "invalid", "renders_ms", "0 to 600000"},
		{"POST", path, `{"renders_ms": [1, 1.5]}`, 400, "invalid", "renders_ms", "whole number"},
		{"POST", path, `{"renders_ms": [1, null]}`, 400, "invalid", "renders_ms", "whole number"},
		{"POST", path, `{"renders_ms": [` + many + `]}`, 413, "too_large", "renders_ms", "at most 100"},
		{"POST", path, `{"renders_ms": [1], "exports": ["pdf"]}`, 400, "invalid", "exports", "png, svg, csv"},
		{"POST", path, `{"renders_ms": [1], "exports": [null]}`, 400, "invalid", "exports", "png, svg, csv"},
		{"POST", path, `{"renders_ms": [1], "visit": {}}`, 400, "invalid", "filters", "missing"},
		{"POST", path, `{"renders_ms": [1], "visit": {"filters": 51}}`, 400, "invalid", "filters", "0 to 50"},
		{"POST", path, `{"renders_ms": [1], "visit": {"filters": 1, "page": 7}}`, 400, "invalid", "page", "filters, replaces"},
		{"POST", path, `{"renders_ms": [1], "visit": {"filters": 1, "replaces": 1}}`, 400, "invalid", "replaces", "less than filters"},
		{"POST", path, `{"renders_ms": [1], "visit": 1}`, 400, "invalid", "visit", "JSON object"},
		{"POST", path, `{"renders_ms": [1]}` + strings.Repeat(" ", 4096), 413, "too_large", "", "4096"},
		{"POST", path + "?visit=1", `{"renders_ms": [1]}`, 400, "invalid", "visit", "takes none"},
	})
	if after := f.told(); after != before {
		t.Errorf("%s became %s", before, after)
	}
	if f.log.Len() > 0 {
		t.Errorf("refusals were logged: %s", f.log)
	}
}

func TestTelemetryOfOtherSitesIsRefused(t *testing.T) {
	f := newFixture(t, listening)
	before := f.told()
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://elsewhere.example"},
		{"Origin", "https://elsewhere.example"},
		{"Origin", "null"},
	} {
		f.tell(`{"visit": {"filters": 1}}`, header...).refused(400, "invalid")
	}
	if after := f.told(); after != before {
		t.Errorf("%s became %s", before, after)
	}
	// A browser that does not say where a request comes from names the origin, unless the page asks for no referrer.
	own, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.tell(`{"visit": {"filters": 1}}`, "Origin", "http://"+own.Host); got.status != 204 {
		t.Errorf("its own page: %d %s", got.status, got.body)
	}
	if policy := f.send("GET", "/api/v2/server", "").header.Get("Referrer-Policy"); policy != "same-origin" {
		t.Errorf("Referrer-Policy %q", policy)
	}
}

func TestTelemetryThatIsOff(t *testing.T) {
	f := newFixture(t)
	before := f.told()
	if got := f.tell(`{"renders_ms": [1], "exports": ["png"], "visit": {"filters": 1}}`); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if after := f.told(); after != before || !strings.Contains(after, "enabled:false") {
		t.Errorf("%s became %s", before, after)
	}
	if enabled := at(t, f.send("GET", "/api/v2/server", "").ok(), "telemetry"); enabled != false {
		t.Errorf("pages are told that it is on")
	}
}

func TestTelemetryFromManyPages(t *testing.T) {
	f := newFixture(t, listening)
	var pages sync.WaitGroup
	for range 8 {
		pages.Go(func() {
			for range 25 {
				f.tell(`{"renders_ms": [7, 8], "exports": ["svg"], "visit": {"filters": 2}}`)
			}
		})
	}
	pages.Wait()
	got := f.send("GET", "/api/v2/telemetry", "").ok()
	if visits, renders, exports := id(t, got, "visits"), id(t, got, "render_ms", "count"), id(t, got, "exports", "svg", "count"); visits != 200 ||
		renders != 400 || exports != 200 {
		t.Errorf("%d visits, %d renders, %d exports", visits, renders, exports)
	}
}
