package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlite"
	"tasktide/internal/tracing"
)

// checkTime bounds how long each part of a check waits.
const checkTime = 10 * time.Second

// intactTime bounds how long a SQLite file is searched for corruption: a large file takes longer.
const intactTime = 5 * time.Second

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Tell what a server would run with, and what is wrong with that."`
}

// Help is shown under the command's --help.
func (configCommand) Help() string {
	return `Examples:

    tasktide config check
    tasktide config check --json`
}

// configCheckCommand has the flags of serve.
type configCheckCommand struct {
	serveCommand
	outputFlags
}

// checkDocument is the result of the command.
type checkDocument struct {
	Settings []checkedSetting `json:"settings"`
	Problems []string         `json:"problems"`
	Traces   *tracesSent      `json:"traces"` // nil when none are sent
}

type checkedSetting struct {
	Flag  string `json:"flag"`
	Value string `json:"value"` // without secrets
	From  string `json:"from"`  // flag, default, or a variable of the environment
}

type tracesSent struct {
	Endpoint string `json:"endpoint"`
	Protocol string `json:"protocol"`
}

// Help is shown under the command's --help.
func (configCheckCommand) Help() string {
	return `Takes what serve takes, and prints each setting with its value and where that is from, without secrets.
Then it looks whether a server could start with them and do its work: whether the database is there, may be
written, has disk space left and this program's schema, whether a SQLite file is corrupt (as far as 5 seconds
of reading show), whether the address is free and only this machine's, and so on. It changes nothing, waits 10
seconds for each at most, and exits with code 1 when something is wrong.

Examples:

    tasktide config check
    tasktide config check --database-url postgres://tasktide:secret@db.example.org/tasktide`
}

func (*configCheckCommand) interrupted() string {
	return "not everything was checked; nothing was changed"
}

// Run prints the settings and what is wrong with them.
func (c *configCheckCommand) Run(ctx context.Context, t *terminal, called *kong.Context) error {
	migrates := c.migrates(c.Migrate)
	c.Migrate = &migrates // as it is for this database
	document := checkDocument{Settings: settings(called), Problems: []string{}}
	if err := document.print(t); err != nil {
		return err
	}
	for _, check := range []func(context.Context) error{
		c.checkDatabase, c.checkAddress, c.checkProvider, c.checkCache, c.checkRetention, document.checkTracing(t),
	} {
		within, cancel := context.WithTimeout(ctx, checkTime)
		err := check(within)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			document.Problems = append(document.Problems, err.Error())
			if err := t.item(fmt.Sprintf("WRONG: %v", err)); err != nil {
				return err
			}
		}
	}
	if wrong := len(document.Problems); wrong > 0 {
		return errors.Join(t.result(document, nothing), jobmon.Errorf(jobmon.CodeInvalid, "wrong settings: %d", wrong))
	}
	return t.result(document, t.prose("Nothing is wrong with them.\n"))
}

// settings returns the flags that have a variable of the environment.
func settings(called *kong.Context) (all []checkedSetting) {
	for _, flag := range called.Selected().Flags {
		if len(flag.Envs) > 0 {
			all = append(all, checkedSetting{"--" + flag.Name, shownValue(flag), source(called, flag)})
		}
	}
	return all
}

// print prints the settings as a table for people.
func (d *checkDocument) print(t *terminal) error {
	if t.asJSON || t.quiet {
		return nil
	}
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, one := range d.Settings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", one.Flag, one.Value, one.From)
	}
	return table.Flush()
}

// source tells where the value of a setting is from.
func source(called *kong.Context, flag *kong.Flag) string {
	for _, element := range called.Path {
		if element.Flag == flag {
			return "flag"
		}
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return name
		}
	}
	return "default"
}

// secretName matches flags whose values nobody else may see.
var secretName = regexp.MustCompile(`secret|password|token|key`)

// shownValue is the value of a setting without secrets. One that is not set is what its tag "unset" calls that.
func shownValue(flag *kong.Flag) string {
	value := reflect.Indirect(flag.Target)
	if !value.IsValid() || value.IsZero() && !flag.HasDefault {
		return unset(flag)
	}
	text := fmt.Sprint(value.Interface())
	switch {
	case secretName.MatchString(flag.Name):
		return "(hidden)"
	case strings.Contains(text, "://"):
		return withoutPassword(text)
	default:
		return text
	}
}

func unset(flag *kong.Flag) string {
	if flag.Tag.Has("unset") {
		return flag.Tag.Get("unset")
	}
	return "none"
}

// withoutPassword hides the password of a URL, and all of a URL that cannot be read.
func withoutPassword(text string) string {
	scheme, _, _ := strings.Cut(text, "://")
	if scheme == sqliteScheme {
		return text // a file's name may be no URL, and has no password
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return scheme + "://(hidden, because it cannot be read)"
	}
	// Drivers take a password among the parameters too.
	parameters := parsed.Query()
	for name := range parameters {
		if secretName.MatchString(strings.ToLower(name)) {
			parameters.Set(name, "xxxxx")
			parsed.RawQuery = parameters.Encode()
		}
	}
	return parsed.Redacted()
}

func (c *configCheckCommand) checkDatabase(ctx context.Context) (err error) {
	migrates := *c.Migrate
	if c.scheme() == sqliteScheme {
		exists, err := c.checkFile()
		switch {
		case err != nil || !exists && migrates:
			return err
		case !exists:
			return jobmon.Errorf(jobmon.CodeInvalid, "there is no %s, and --no-migrate does not make it", c.shown())
		}
	}
	db, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if migrates {
		err = db.CheckMigratable(ctx)
	} else {
		err = db.CheckSchema(ctx)
	}
	if err != nil {
		return err
	}
	if err := db.CheckWritable(ctx); err != nil {
		return err
	}
	if err := db.CheckRoom(ctx); err != nil {
		return err
	}
	return db.CheckIntact(ctx, intactTime)
}

// checkFile tells whether the SQLite file is there, and otherwise whether it can be made.
func (c *configCheckCommand) checkFile() (exists bool, err error) {
	if _, err := os.Stat(dataDirectory()); c.DatabaseURL == defaultDatabaseURL() && errors.Is(err, fs.ErrNotExist) {
		return false, sqlite.CheckRoom(filepath.Join(dataDirectory(), "tasktide.db")) // serve makes the folder
	}
	path, exists, err := sqlite.Find(c.DatabaseURL)
	if err != nil || exists {
		return exists, err
	}
	return false, sqlite.CheckRoom(path)
}

func (c *configCheckCommand) checkAddress(ctx context.Context) error {
	guard, err := c.guard(nil, c.BasePath)
	if err != nil {
		return err
	}
	listener, err := c.listen(ctx)
	if err != nil {
		return err
	}
	defer listener.Close()
	return refuseStrangers(guard, c.Insecure, listener)
}

func (c *configCheckCommand) checkCache(ctx context.Context) error {
	log := slog.New(slog.DiscardHandler)
	if c.RedisURL == "" {
		_, _, err := c.cacheFlags.open(ctx, c.databaseFlag, log)
		return err
	}
	kept, err := c.openRedis(c.databaseFlag, log)
	if err != nil {
		return err
	}
	if err := kept.Check(ctx); err != nil {
		return errors.Join(jobmon.Errorf(jobmon.CodeUnavailable, "Redis does not answer: %w", err), kept.Close())
	}
	return kept.Close()
}

func (c *configCheckCommand) checkRetention(context.Context) error {
	_, err := c.retention(nil, slog.New(slog.DiscardHandler))
	return err
}

// checkTracing tells where traces are sent to, too, since that is no flag.
func (d *checkDocument) checkTracing(t *terminal) func(context.Context) error {
	return func(context.Context) error {
		exporter, err := tracing.ExporterFrom(os.Getenv)
		if err != nil || exporter == nil {
			return err
		}
		d.Traces = &tracesSent{exporter.Endpoint, exporter.Protocol}
		if t.asJSON {
			return nil
		}
		return t.prose("Traces are sent to %s by %s.\n", exporter.Endpoint, exporter.Protocol)()
	}
}
