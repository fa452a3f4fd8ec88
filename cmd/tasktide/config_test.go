package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tasktide/internal/store/testdb"
)

func TestConfigCheckTellsEachSettingAndItsSource(t *testing.T) {
	database := tempDatabase(t)
	t.Setenv("TASKTIDE_DATABASE_URL", database)
	t.Setenv("TASKTIDE_TELEMETRY", "off")
	args := []string{"config", "check", "--listen", "127.0.0.1:0", "--audit-retention", "36h", "--no-migrate"}
	code, out, errOut := call(args...)
	if code != 1 || !strings.Contains(out, "--no-migrate does not make it") {
		t.Errorf("a database that nobody makes: exit %d with %q %q", code, out, errOut)
	}
	code, out, errOut = call(append(args, "--migrate")...)
	if code != 0 || !strings.Contains(out, "Nothing is wrong") {
		t.Errorf("exit %d with %q %q", code, out, errOut)
	}
	if left, err := os.ReadDir(filepath.Dir(strings.TrimPrefix(database, "sqlite://"))); err != nil || len(left) > 0 {
		t.Errorf("the check leaves %v, %v", left, err)
	}
	settings := settingsTold(out)
	for name, want := range map[string]string{
		"--database-url": database + " TASKTIDE_DATABASE_URL", "--telemetry": "off TASKTIDE_TELEMETRY", "--listen": "127.0.0.1:0 flag",
		"--audit-retention": "36h0m0s flag", "--block-retention": "400d default", "--redis-url": "none default", "--migrate": "true flag",
	} {
		if settings[name] != want {
			t.Errorf("%s is told as %q, not %q", name, settings[name], want)
		}
	}
	if _, out, _ := call("config", "check"); settingsTold(out)["--migrate"] != "true default" {
		t.Errorf("for SQLite, --migrate is told otherwise: %q", out)
	}
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	serve, err := parser.Parse([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range serve.Selected().Flags {
		if settings["--"+flag.Name] == "" {
			t.Errorf("--%s of serve is not told", flag.Name)
		}
	}
}

// settingsTold returns the value and the source of each setting, by its flag.
func settingsTold(out string) map[string]string {
	settings := map[string]string{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		settings[words[0]] = strings.Join(words[1:], " ")
	}
	return settings
}

func TestConfigCheckTellsWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	newer := importTrace(t)
	rewrite(t, newer, "INSERT INTO schema_version (version) VALUES (1000)")
	older := importTrace(t)
	rewrite(t, older, "DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)")
	redis := testdb.StartRedis(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{}, ""},
		{[]string{"--redis-url", redis.URL(redis.Address())}, ""},
		{[]string{"--redis-url", redis.URL("127.0.0.1:1")}, "Redis does not answer"},
		{[]string{"--redis-url", "http://x"}, "redis://"},
		{[]string{
			"--auth", "session", "--session-secret", "s3cret", "--oidc-issuer", "http://127.0.0.1:1", "--oidc-client-id", "tasktide",
			"--oidc-client-secret", "s3cret", "--oidc-redirect-url", "https://tasktide.example.org/api/auth/oidc/auth",
		}, "identity provider does not answer"},
		{[]string{"--cache-bytes=-1"}, "--cache-bytes"},
		{[]string{"--listen", taken.Addr().String()}, "address already in use"},
		{[]string{"--listen", "0.0.0.0:0"}, "nobody is asked to log in"},
		{[]string{"--audit-retention", "1h"}, "2h0m0s at least"},
		{[]string{"--block-retention", "30d"}, "cannot be removed before its rows"},
		{[]string{"--database-url", newer}, "use the newer program"},
		{[]string{"--database-url", older}, ""},
		{[]string{"--database-url", older, "--no-migrate"}, "tasktide migrate"},
		{[]string{"--database-url", "sqlite:///no/such/folder/runs.db"}, "no folder"},
		{[]string{"--database-url", "postgres://tasktide:s3cret@127.0.0.1:1/tasktide?sslmode=disable&password=s3cret"}, "cannot be reached"},
		{[]string{"--database-url", "mysql://tasktide:s3%cret@127.0.0.1:1/tasktide"}, "%"},
	} {
		args := append([]string{"config", "check", "--database-url", tempDatabase(t), "--listen", "127.0.0.1:0"}, c.args...)
		code, out, errOut := call(args...)
		if wrong := c.says != ""; code == 0 == wrong || strings.Contains(out, "WRONG: ") != wrong || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit %d with %q %q", c.args, code, out, errOut)
		}
		for _, secret := range []string{"s3cret", "s3%cret", "p@ss", "p%40ss"} {
			if strings.Contains(out+errOut, secret) {
				t.Errorf("%v tells %s: %q %q", c.args, secret, out, errOut)
			}
		}
	}
}

// Settings that come along later are hidden by their names.
func TestSecretsAreNotShown(t *testing.T) {
	var settings struct {
		SessionSecret string
		Peer          string
		Plain         string
		APIKeys       []string
	}
	parser, err := newParser(&settings)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse([]string{"--session-secret=s3cret", "--peer=https://me:s3cret@x/?Token=s3cret", "--plain=text", "--api-keys=s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, flag := range parser.Model.Flags {
		shown[flag.Name] = shownValue(flag)
	}
	if shown["plain"] != "text" || shown["session-secret"] != "(hidden)" || strings.Contains(shown["peer"]+shown["api-keys"], "s3cret") {
		t.Errorf("%v", shown)
	}
}
