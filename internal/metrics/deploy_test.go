package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/metrics"
)

var deploy = filepath.Join("..", "..", "deploy")

func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{deploy}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// series returns the names under which Prometheus stores what is exported.
func series(t *testing.T) map[string]bool {
	t.Helper()
	_, all := families(scraped(t, func(*metrics.Source) {}))
	names := map[string]bool{}
	for family := range slices.Chunk(all, 2) {
		name, kind := family[0], family[1]
		if kind != "histogram" {
			names[name] = true
		}
		if kind == "histogram" || kind == "summary" {
			names[name+"_sum"], names[name+"_count"] = true, true
		}
		if kind == "histogram" {
			names[name+"_bucket"] = true
		}
	}
	return names
}

var named = regexp.MustCompile(`\b(tasktide|go|process)_\w+`)

// uses demands that all metrics in expressions are exported, and that there is one.
func uses(t *testing.T, exported map[string]bool, where, expressions string) {
	t.Helper()
	found := named.FindAllString(expressions, -1)
	for _, name := range found {
		if !exported[name] {
			t.Errorf("%s: %s is not exported", where, name)
		}
	}
	if len(found) == 0 && !strings.Contains(expressions, "up{") {
		t.Errorf("%s: no metric in %s", where, expressions)
	}
}

// query is any part of a dashboard: whatever it holds, an expression is under one of these names.
type query struct{ where, expression string }

func queries(where string, part any) (all []query) {
	switch part := part.(type) {
	case map[string]any:
		for name, inner := range part {
			if text, ok := inner.(string); ok && slices.Contains([]string{"expr", "query", "definition"}, name) && part["type"] != "datasource" {
				all = append(all, query{where, text})
			}
			all = append(all, queries(fmt.Sprint(where, "/", name), inner)...)
		}
	case []any:
		for i, inner := range part {
			all = append(all, queries(fmt.Sprint(where, "/", i), inner)...)
		}
	}
	return all
}

func TestDashboardShowsWhatIsExported(t *testing.T) {
	var dashboard map[string]any
	if err := json.Unmarshal([]byte(read(t, "grafana", "tasktide.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	all, exported := queries("", dashboard), series(t)
	if len(all) < 20 {
		t.Fatalf("only %d queries were found", len(all))
	}
	for _, q := range all {
		uses(t, exported, q.where, q.expression)
	}
}

func TestAlertsAreOfWhatIsExported(t *testing.T) {
	rules, tests, exported := read(t, "prometheus", "tasktide.rules.yaml"), read(t, "prometheus", "tasktide.rules.test.yaml"), series(t)
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := strings.Split(rules, "- alert: ")[1:]
	if len(alerts) == 0 {
		t.Fatal("there are none")
	}
	for _, alert := range alerts {
		name, rest, _ := strings.Cut(alert, "\n")
		expression, annotations, _ := strings.Cut(rest, "labels: ")
		uses(t, exported, name, expression)
		for _, told := range []string{"summary: ", "action: "} {
			if strings.Count(annotations, told) != 1 {
				t.Errorf("%s has no %s", name, told)
			}
		}
		if !strings.Contains(tests, `alertname="`+name+`"`) {
			t.Errorf("no test has %s fire", name)
		}
		if !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("docs/monitoring.md does not tell of %s", name)
		}
	}
}

// The guide's table has each metric with its help.
func TestGuideTellsOfEachMetric(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := scraped(t, func(*metrics.Source) {})
	for family := range slices.Chunk(exported, 2) {
		help := regexp.MustCompile(`(?m)^# HELP ` + family[0] + ` (.*)$`).FindStringSubmatch(text)
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", family[0], family[1], help[1]); !strings.Contains(string(guide), row) {
			t.Errorf("docs/monitoring.md lacks\n%s", row)
		}
	}
}

// Prometheus' own program finds the metrics named by its conventions, and tries each alert: it fires, and clears.
func TestPrometheusAgrees(t *testing.T) {
	text := scraped(t, func(*metrics.Source) {})
	for _, args := range [][]string{
		{"check", "metrics"},
		{"check", "rules", "tasktide.rules.yaml"},
		{"test", "rules", "tasktide.rules.test.yaml"},
	} {
		promtool := exec.CommandContext(t.Context(), "promtool", args...)
		promtool.Dir = filepath.Join(deploy, "prometheus")
		promtool.Stdin = strings.NewReader(text)
		if said, err := promtool.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v; install it with: make setup (as root), or apt-get install --no-install-recommends prometheus\n%s",
				strings.Join(args, " "), err, said)
		}
	}
}
