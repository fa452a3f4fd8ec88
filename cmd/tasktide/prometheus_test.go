package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// prometheus is a Prometheus process of a test's own.
type prometheus struct {
	t   *testing.T
	url string
}

// alert is one of the rules, for one server.
type alert struct{ name, server string }

// States of an alert, as Prometheus calls them.
const (
	firing   = "firing"
	inactive = "inactive"
)

// The rules speak of minutes to days, which a drill has not: here an alert fires when it holds for a second, and what is
// counted over minutes is counted over three seconds. All else is as it is shipped, the thresholds too.
var (
	holdsFor   = regexp.MustCompile(`(?m)^( +for:) .*$`)
	countsOver = regexp.MustCompile(`\[\d+[smhd]\]`)
)

// startPrometheus starts a Prometheus that scrapes servers, each by the name by which it is told of, and has the rules
// that are shipped.
func startPrometheus(t *testing.T, servers map[string]string) *prometheus {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join("..", "..", "deploy", "prometheus", "tasktide.rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rules = holdsFor.ReplaceAll(rules, []byte("$1 1s"))
	rules = countsOver.ReplaceAll(rules, []byte("[3s]"))
	config := "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\n" +
		"rule_files: [rules.yaml]\nscrape_configs:\n  - job_name: tasktide\n    static_configs:\n"
	for name, url := range servers {
		config += fmt.Sprintf("      - {targets: [%q], labels: {instance: %s}}\n", strings.TrimPrefix(url, "http://"), name)
	}
	directory := t.TempDir()
	for name, text := range map[string]string{"prometheus.yaml": config, "rules.yaml": string(rules)} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	process := exec.Command("prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")
	process.Dir = directory
	log, err := process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatalf("%v; install it with: make setup (as root), or apt-get install --no-install-recommends prometheus", err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	p := &prometheus{t: t}
	listens := regexp.MustCompile(`Listening on" address=(\S+)`)
	var said strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			p.url = "http://" + found[1]
		}
		if strings.Contains(lines.Text(), "Server is ready") {
			go func() {
				for lines.Scan() { // it would wait for somebody to read
				}
			}()
			return p
		}
	}
	t.Fatalf("prometheus does not start:\n%s", &said)
	return nil
}

// ask asks its API.
func (p *prometheus) ask(path string, data any) {
	p.t.Helper()
	response, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := struct {
		Data any `json:"data"`
	}{data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %d %v", path, response.StatusCode, err)
	}
}

// alerts returns the names of all that there are, in their order.
func (p *prometheus) alerts() (names []string) {
	p.t.Helper()
	var loaded struct {
		Groups []struct {
			Rules []struct{ Name string }
		}
	}
	p.ask("/api/v1/rules?type=alert", &loaded)
	for _, group := range loaded.Groups {
		for _, rule := range group.Rules {
			names = append(names, rule.Name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// await waits until all of these alerts are in a state, firing or inactive.
func (p *prometheus) await(of []alert, state string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%v are not %s", of, state), func() bool {
		var active struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
		p.ask("/api/v1/alerts", &active)
		states := map[alert]string{}
		for _, a := range active.Alerts {
			states[alert{a.Labels["alertname"], a.Labels["instance"]}] = a.State
		}
		return !slices.ContainsFunc(of, func(a alert) bool {
			if state != inactive {
				return states[a] != state
			}
			// Of a server that does not answer nothing is known, and nothing is told.
			return states[a] != "" || states[alert{"TasktideDown", a.server}] != ""
		})
	})
}
