package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withoutHome leaves nothing that says where a user's data goes.
func withoutHome(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "TASKTIDE_DATABASE_URL"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutHomeADatabaseHasToBeNamed(t *testing.T) {
	withoutHome(t)
	t.Chdir(t.TempDir())
	const missing = "^tasktide: [^\n]*HOME[^\n]*--database-url or TASKTIDE_DATABASE_URL\n$"
	for _, args := range [][]string{
		{"serve"}, {"migrate"}, {"audit", "verify"}, {"token", "list"}, {"retention"}, {"generate"},
		{"import", "csv", writeFile(t, spans), "--workflow", "run"},
	} {
		says(t, 1, "^$", missing, args...)
	}
	says(t, 1, "(?m)^WRONG: there is no default database because HOME is not set; .*--database-url", "wrong settings", "config", "check", "--listen", "127.0.0.1:0")
	for _, args := range [][]string{{"version"}, {"--help"}, {"serve", "--help"}, {"completion", "bash"}} {
		says(t, 0, ".", "^$", args...)
	}
	says(t, 0, "", "^$", "migrate", "--database-url", "sqlite://runs.db")
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 1 || entries[0].Name() != "runs.db" {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// toOpen says what an import prints about how to see the run.
func TestWhatAnImportSaysToOpen(t *testing.T) {
	withoutHome(t)
	data, folder := t.TempDir(), t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Chdir(folder)
	for _, c := range []struct{ url, environment, command string }{
		{defaultDatabaseURL(), "", "tasktide serve"},
		{defaultDatabaseURL(), "sqlite://other.db", "tasktide serve --database-url sqlite://" + filepath.Join(data, "tasktide", "tasktide.db")},
		{"sqlite://runs.db", "", "tasktide serve --database-url sqlite://" + filepath.Join(folder, "runs.db")},
		{"sqlite://it's%20(1).db", "", "tasktide serve --database-url sqlite://" + filepath.Join(folder, "it%27s%20%281%29.db")},
		{"postgres://ada@db.example.org/runs?sslmode=require", "", "tasktide serve --database-url 'postgres://ada@db.example.org/runs?sslmode=require'"},
		{"postgres://ada@db.example.org/runs", "", "tasktide serve --database-url postgres://ada@db.example.org/runs"},
		{"postgres://ada:s3cret@db.example.org/runs", "", "tasktide serve with the same database URL"},
		{"postgres://ada@db.example.org/runs?password=s3cret", "", "tasktide serve with the same database URL"},
	} {
		t.Run(c.url, func(t *testing.T) {
			if c.environment != "" {
				t.Setenv("TASKTIDE_DATABASE_URL", c.environment)
			}
			want := "To see it, run " + c.command + ", and open the path /workflows/7 of the address that it prints."
			if got := (databaseFlag{DatabaseURL: c.url}).toOpen(7); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	// The command that is printed works as it is.
	code, out, errOut := call("import", "csv", writeFile(t, spans), "--workflow", "run")
	if code != 0 || out != "1\n" || !strings.HasSuffix(errOut, "\nTo see it, run tasktide serve, and open the path /workflows/1 of the address that it prints.\n") {
		t.Errorf("it exits %d with %q %q", code, out, errOut)
	}
	says(t, 0, "^Verified 1 workflows", "^$", "audit", "verify")
}

// The page tells the database only where nobody else than the users of this machine reads it.
func TestWhoIsToldTheDatabase(t *testing.T) {
	database := tempDatabase(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--database-url", database}, `"database_url":"` + database + `"`},
		{[]string{"serve", "--database-url", database, "--auth", "session", "--session-secret-file", secret}, `"database_url":null`},
		{[]string{"demo"}, `"database_url":null`},
	} {
		if _, body := start(t, append(c.args, "--listen", "127.0.0.1:0")...).get("/api/v2/server"); !strings.Contains(body, c.want) {
			t.Errorf("%v tells %s, want %s", c.args, body, c.want)
		}
	}
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if told := importURL(&databaseFlag{DatabaseURL: database}, nil, listener); told != nil {
		t.Errorf("whoever reaches %s is told %q", listener.Addr(), *told)
	}
}
