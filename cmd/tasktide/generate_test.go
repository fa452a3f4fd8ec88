package main

import (
	"strings"
	"testing"
)

func TestGenerateOnceAndAgain(t *testing.T) {
	database := tempDatabase(t)
	generate := func(more ...string) (code int, out, errOut string) {
		return call(append([]string{"generate", "--end", "2026-05-14T09:30:00Z", "--database-url", database}, more...)...)
	}
	if code, out, errOut := generate(); code != 0 || out != "1\n" || !strings.Contains(errOut, "Generated 10000 tasks") {
		t.Fatalf("generate exits %d with %q %q", code, out, errOut)
	}
	// The size and the seed are what tells two workloads apart, not when the command was called.
	for _, more := range [][]string{{"--size", "S"}, {"--seed", "1"}, {"--end", "2026-05-15T00:00:00Z"}} {
		code, out, errOut := generate(more...)
		if code != 1 || out != "" || !strings.Contains(errOut, "already") || !strings.Contains(errOut, "--seed") {
			t.Errorf("generate again with %v exits %d with %q %q", more, code, out, errOut)
		}
	}

	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
	_, body := server.get("/api/v2/workflows/1")
	for _, part := range []string{`"workload_S_seed_1"`, `"2026-05-13T09:30:`, `"2026-05-14T09:29:`} {
		if !strings.Contains(body, part) {
			t.Errorf("the workflow is %s, without %s", body, part)
		}
	}
}

func TestGenerateIsExplainedAndRefusesNonsense(t *testing.T) {
	code, out, _ := call("generate", "--help")
	if code != 0 || !strings.Contains(out, "Example") || !strings.Contains(out, "tasktide generate") {
		t.Errorf("generate --help exits %d with %q", code, out)
	}
	for _, c := range []struct {
		flag, value string
		code        int
		says        string
	}{
		{"--size", "XXL", 2, "S"},
		{"--seed", "-1", 2, "--seed"},
		{"--end", "yesterday", 2, "--end"},
		{"--end", "1970-01-01T12:00:00Z", 1, "--end"},
	} {
		code, _, errOut := call("generate", "--database-url", tempDatabase(t), c.flag, c.value)
		last := errOut[strings.LastIndex(strings.TrimSpace(errOut), "\n")+1:]
		if code != c.code || !strings.Contains(last, c.says) {
			t.Errorf("generate %s %s exits %d with %q; want %d and %q", c.flag, c.value, code, last, c.code, c.says)
		}
	}
}
