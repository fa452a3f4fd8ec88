package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutResult are the commands that print no result: they serve, or print something for a shell or a person.
var withoutResult = []string{"serve", "demo", "completion", "complete", "help"}

func TestEveryCommandWithAResultHasJSONAndQuiet(t *testing.T) {
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(false) {
		has := map[string]bool{}
		for _, flag := range command.Flags {
			has[flag.Name] = true
		}
		want := !slices.Contains(withoutResult, command.Name)
		if has["json"] != want || has["quiet"] != want {
			t.Errorf("%s: --json %t, --quiet %t; want %t", command.FullPath(), has["json"], has["quiet"], want)
		}
	}
}

// shape replaces what differs from run to run.
func shape(document string) string {
	for pattern, by := range map[string]string{
		`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"`: `"INSTANT"`,
		`"token": "[^"]{40,}"`:                      `"token": "TOKEN"`,
		`"sqlite://[^"]*"`:                          `"DATABASE"`,
	} {
		document = regexp.MustCompile(pattern).ReplaceAllString(document, by)
	}
	return document
}

func TestDocuments(t *testing.T) {
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"migrate"}, `{"database":"DATABASE","previous_schema_version":0,"schema_version":SCHEMA}`},
		{[]string{"import", "nextflow", file, "--workflow", "run"}, `{"engine":"nextflow","name":"run","tasks":2,"workflow_id":1}`},
		{[]string{"audit", "verify"}, `{"began":"INSTANT","broken":0,"cells":0,"covered":2,"defects":[],"defects_found":0,"ended":"INSTANT","rows":15,"tasks":2,"workflows":1}`},
		{[]string{"rollup", "rebuild", "--workflow", "1"}, `{"minutes":60,"workflow_id":1}`},
		{[]string{"rollup", "rebuild"}, `{"minutes":60,"workflow_id":null}`},
		{[]string{"retention", "--dry-run"}, `{"workflows":[]}`},
		{[]string{"retention"}, `{"failed_workflows":0,"hours":0,"rows":0}`},
		{[]string{"token", "create", "--user", "ada", "--name", "n", "--scope", "read,state"}, `{"created_at":"INSTANT","expired":false,"expires_at":"INSTANT","id":1,"name":"n","scopes":["read","state"],"token":"TOKEN","user":"ada"}`},
		{[]string{"token", "list"}, `{"tokens":[{"created_at":"INSTANT","expired":false,"expires_at":"INSTANT","id":1,"name":"n","scopes":["read","state"],"user":"ada"}]}`},
		{[]string{"token", "revoke", "1"}, `{"id":1,"revoked":true}`},
		{[]string{"token", "list"}, `{"tokens":[]}`},
	} {
		code, out, errOut := call(append(c.args, "--json", "--quiet", "--database-url", database)...)
		if code != 0 || errOut != "" {
			t.Errorf("%v exits %d with %q", c.args, code, errOut)
			continue
		}
		var document any
		if err := json.Unmarshal([]byte(shape(out)), &document); err != nil {
			t.Errorf("%v prints %q: %v", c.args, out, err)
		}
		// Members in the order of their names.
		sorted, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`"schema_version":\d+`).ReplaceAllString(string(sorted), `"schema_version":SCHEMA`)
		got = regexp.MustCompile(`"(rows|minutes)":[1-9]\d*`).ReplaceAllString(got, `"$1":N`)
		want := regexp.MustCompile(`"(rows|minutes)":[1-9]\d*`).ReplaceAllString(c.want, `"$1":N`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.args, diff)
		}
	}
	code, out, _ := call("version", "--json")
	if diff := cmp.Diff("{\n  \"version\": \"dev\",\n  \"commit\": \"unknown\",\n  \"date\": \"unknown\"\n}\n", out); code != 0 || diff != "" {
		t.Errorf("version exits %d: %s", code, diff)
	}
	code, out, errOut := call("generate", "--json", "--quiet", "--end", "2026-01-31T00:00:00Z", "--database-url", database)
	if code != 0 || errOut != "" || !strings.HasPrefix(out, "{\n  \"size\": \"S\",\n  \"seed\": 1,\n  \"end\": \"2026-01-31T00:00:00.000000Z\",\n  \"tasks\": 10000,\n  \"workflows\": [\n    {\n      \"id\": 2,") {
		t.Errorf("generate exits %d with %q %q", code, out, errOut)
	}
}

// Problems are in the document, and the exit code says that there are some.
func TestDocumentsOfProblems(t *testing.T) {
	database := importTrace(t)
	rewrite(t, database, "DELETE FROM task_status_audit WHERE id = (SELECT MIN(id) FROM task_status_audit WHERE new_status = 'R')")
	code, out, errOut := call("audit", "verify", "--json", "--database-url", database)
	if !json.Valid([]byte(out)) {
		t.Errorf("audit verify prints %q", out)
	}
	if code != 1 || !strings.Contains(out, `"what": "the chain is broken`) || !strings.Contains(errOut, "defects") {
		t.Errorf("audit verify exits %d with %q %q", code, out, errOut)
	}
	code, out, errOut = call("config", "check", "--json", "--listen", "nowhere", "--database-url", database)
	var checked checkDocument
	if err := json.Unmarshal([]byte(out), &checked); err != nil || code != 1 {
		t.Fatalf("config check exits %d with %q (%v) %q", code, out, err, errOut)
	}
	if len(checked.Problems) != 1 || !strings.Contains(checked.Problems[0], "nowhere") || checked.Settings[1] != (checkedSetting{"--listen", "nowhere", "flag"}) {
		t.Errorf("config check prints %+v", checked)
	}
	for _, one := range checked.Settings {
		if one.Flag == "--json" || one.Flag == "--quiet" {
			t.Errorf("%s is told as a setting", one.Flag)
		}
	}
}

// With --quiet, a command prints what a script needs, and nothing else.
func TestQuiet(t *testing.T) {
	t.Setenv("TASKTIDE_NONSENSE", "1") // which is warned of otherwise
	database := tempDatabase(t)
	file := filepath.Join(t.TempDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		out  string
	}{
		{[]string{"migrate"}, `^$`},
		{[]string{"import", "nextflow", file, "--workflow", "run"}, `^1\n$`},
		{[]string{"audit", "verify"}, `^$`},
		{[]string{"rollup", "rebuild"}, `^$`},
		{[]string{"retention", "--dry-run"}, `^$`},
		{[]string{"retention"}, `^$`},
		{[]string{"token", "create", "--user", "ada"}, `^[^ ]{40,}\n$`},
		{[]string{"token", "revoke", "1"}, `^$`},
		{[]string{"config", "check", "--listen", "127.0.0.1:0"}, `^$`},
		{[]string{"workflow", "list"}, `^1\n$`},
		{[]string{"concurrency", "1", "--last", "all"}, `^ *BUCKET START`},
		{[]string{"export", "1", "--last", "all", "--csv", filepath.Join(t.TempDir(), "a.csv")}, `^$`},
	} {
		says(t, 0, c.out, "^$", append(c.args, "--quiet", "--database-url", database)...)
	}
	says(t, 1, "^$", `^tasktide: .*9`, "workflow", "show", "9", "--quiet", "--database-url", database)
}
