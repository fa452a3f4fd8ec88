package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// drill demands of promtool that an alert, as it is shipped, fires by what a server told while something was wrong,
// an hour of scrapes of a minute each, and not by what it told before or told after.
func (w *watched) drill(alert, metric string, before, wrong, after float64) {
	w.t.Helper()
	rules, err := filepath.Abs(filepath.Join("..", "..", "deploy", "prometheus", "tasktide.rules.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	expect := func(at, samples string) string {
		return fmt.Sprintf("{expr: 'ALERTS{alertname=%q, alertstate=\"firing\"} == bool 1', eval_time: %s, exp_samples: [%s]}", alert, at, samples)
	}
	severity := regexp.MustCompile(`alert: ` + alert + `\n(?:.*\n)*?\s+labels: \{severity: (\w+)\}`)
	text, err := os.ReadFile(rules)
	if err != nil {
		w.t.Fatal(err)
	}
	found := severity.FindStringSubmatch(string(text))
	if found == nil {
		w.t.Fatalf("there is no alert %s", alert)
	}
	fires := fmt.Sprintf(`{labels: '{alertname=%q, alertstate="firing", instance="drill", severity=%q}', value: 1}`, alert, found[1])
	test := fmt.Sprintf("rule_files: [%s]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n"+
		"      - {series: '%s{instance=\"drill\"}', values: '%gx59 %gx59 %gx59'}\n    promql_expr_test:\n      - %s\n      - %s\n      - %s\n",
		rules, metric, before, wrong, after, expect("59m", ""), expect("119m", fires), expect("179m", ""))
	file := filepath.Join(w.t.TempDir(), "drill.yaml")
	if err := os.WriteFile(file, []byte(test), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if said, err := exec.CommandContext(w.t.Context(), "promtool", "test", "rules", file).CombinedOutput(); err != nil {
		w.t.Errorf("promtool (make setup installs it): %v\n%s\n%s", err, said, test)
	}
}

func TestDrillOfARollUpThatIsStopped(t *testing.T) {
	const metric = "tasktide_rollup_lag_seconds"
	database := tempDatabase(t)
	w := newWatched(t, database)
	before := w.metric(metric)
	importInto(t, database)
	wrong := w.metric(metric)
	if err := w.server.upkeep.rollUp.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.drill("TasktideRollUpLag", metric, before, wrong, w.metric(metric))
}

func TestDrillOfAChainThatIsBroken(t *testing.T) {
	database := importTrace(t)
	w := newWatched(t, database)
	told := func(metric string) float64 {
		if err := w.server.upkeep.verifier.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.metric(metric)
	}
	for _, c := range []struct{ alert, metric string }{
		{"TasktideBrokenChains", "tasktide_verification_broken_chains"},
		{"TasktideAuditDefects", "tasktide_verification_defects"},
	} {
		before := told(c.metric)
		rewrite(t, database, "UPDATE task_status_audit SET previous_status = 'G' WHERE new_status = 'R' AND task_id = 1")
		wrong := told(c.metric)
		rewrite(t, database, "UPDATE task_status_audit SET previous_status = 'O' WHERE new_status = 'R' AND task_id = 1")
		w.drill(c.alert, c.metric, before, wrong, told(c.metric))
	}
}
