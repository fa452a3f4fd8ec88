package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"tasktide"
	"tasktide/internal/api"
	"tasktide/internal/docs"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/limit"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/timeline"
	"tasktide/ui"
)

// drainTime is how long requests that are under way at shutdown may take to finish.
const drainTime = 30 * time.Second

// pageWait is how long what a page asks for may wait for a connection to read with: it gets half of them, and JobMon's
// clients find the others free.
const pageWait = 10 * time.Second

// serverFlags are the flags of every command that serves.
type serverFlags struct {
	Listen         string         `env:"TASKTIDE_LISTEN" default:"127.0.0.1:8070" placeholder:"HOST:PORT" help:"Address to serve on; port 0 takes a free one (${default})."`
	BasePath       basePath       `env:"TASKTIDE_BASE_PATH" default:"/" placeholder:"PATH" help:"Path below which a proxy shows the server, such as /tasktide/ (${default})."`
	RateLimit      uint16         `env:"TASKTIDE_RATE_LIMIT" default:"20" placeholder:"NUMBER" help:"How many times a second each user, token or, without one, address may ask for counts, tasks, changes and the like, on average (${default}); ten times as many at once. 0 sets no limit. JobMon's clients have none."`
	TrustedProxies []netip.Prefix `env:"TASKTIDE_TRUSTED_PROXIES" placeholder:"NETWORK" help:"Proxies, such as 127.0.0.1/32 or several with commas, whose X-Forwarded-For says which address asks. Of others it is not believed."`
	Insecure       bool           `env:"TASKTIDE_INSECURE" help:"Let others than this machine reach a server that asks nobody who they are."`
	Telemetry      string         `env:"TASKTIDE_TELEMETRY" enum:"on,off" default:"on" help:"Whether pages tell this server, and nobody else, how fast they draw and what is used of them: on or off (${default}). It is kept in memory, as counts of nobody in particular."`
}

func (f serverFlags) listen(ctx context.Context) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.Listen)
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"cannot listen on %q (%w); choose another address with --listen, such as 127.0.0.1:0", f.Listen, err)
	}
	return listener, nil
}

type serveCommand struct {
	databaseFlag
	serverFlags
	retentionFlags
	cacheFlags
	authFlags

	Migrate *bool `negatable:"" env:"TASKTIDE_MIGRATE" unset:"on for SQLite, off for others" help:"Bring the schema up to this version first; --no-migrate leaves it alone (on for SQLite, off for others)."`
}

// Help is shown under the command's --help.
func (serveCommand) Help() string {
	return `Serves until it is interrupted; requests under way are finished first.

Examples:

    tasktide serve
    tasktide serve --database-url sqlite://runs.db --listen 127.0.0.1:9000
    tasktide serve --base-path /tasktide/ --telemetry off
    TASKTIDE_SESSION_SECRET_FILE=/etc/jobmon/secret tasktide serve --auth session --admins group:ops --listen :8070
    tasktide serve --auth session --oidc-issuer https://login.example.org --oidc-client-id tasktide \
        --oidc-redirect-url https://tasktide.example.org/api/auth/oidc/auth   # secrets are in the environment
    tasktide serve --database-url postgres://tasktide:secret@db.example.org/tasktide --migrate
    TASKTIDE_DATABASE_URL=sqlite:///var/lib/tasktide/runs.db tasktide serve`
}

// interrupted says nothing: a signal is the way to end a server.
func (serveCommand) interrupted() string { return "" }

// Run serves the database until ctx ends.
func (c serveCommand) Run(ctx context.Context, t *terminal) error {
	ctx, stopTracing, err := startTracing(ctx, t.log)
	if err != nil {
		return err
	}
	defer stopTracing()
	db, err := c.databaseFlag.open(ctx, c.Migrate)
	if err != nil {
		return err
	}
	guard, err := c.authFlags.guard(db, c.BasePath)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	kept, closeCache, err := c.cacheFlags.open(ctx, c.databaseFlag, t.log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	server, err := newServer(ctx, c.serverFlags, db, guard, kept, c.retentionFlags, t, &c.databaseFlag)
	if err != nil {
		return errors.Join(err, closeCache(), db.Close())
	}
	fmt.Fprintf(t.out, "Tasktide serves %s from %s\n", c.BasePath.below(server.url()), c.shown())
	return errors.Join(server.run(ctx), closeCache(), db.Close())
}

// server is the HTTP server on its socket, with the upkeep of its database.
type server struct {
	http     *http.Server
	listener net.Listener
	upkeep   *upkeepLoops
	drain    time.Duration // how long requests that are under way may take when ctx is over
}

// newServer returns the server of a database, or the demo's, whose database has no flag.
func newServer(
	ctx context.Context, c serverFlags, db *sqlstore.Store, guard *api.Guard, answers timeline.Cache, kept retentionFlags,
	t *terminal, database *databaseFlag,
) (*server, error) {
	loops, err := newUpkeep(db, kept, t.log)
	if err != nil {
		return nil, err
	}
	listener, err := c.listen(ctx)
	if err != nil {
		return nil, err
	}
	if err := refuseStrangers(guard, c.Insecure, listener); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	moves := ledger.New(db, t.log)
	_, connections := db.Pools()
	pages := limit.Reader(db, limit.NewTurns(connections.MaxOpenConnections/2, pageWait))
	config := api.Config{
		Catalog:        db,
		Reader:         db,
		Pages:          pages,
		Ledger:         moves,
		Timeline:       timeline.New(pages, loops.repair).WithCache(answers),
		Guard:          guard,
		UI:             ui.Handler(string(c.BasePath)),
		Docs:           docs.Handler(tasktide.Documentation, string(c.BasePath)),
		Version:        version,
		Demo:           database == nil,
		DatabaseURL:    importURL(database, guard, listener),
		Telemetry:      c.Telemetry == "on",
		Rates:          limit.NewRates(c.RateLimit),
		TrustedProxies: c.TrustedProxies,
		Log:            t.log,
	}
	loops.watch(&config, moves, answers)
	return &server{
		upkeep:   loops,
		listener: listener,
		drain:    drainTime,
		http: &http.Server{
			// Requests that are under way when ctx ends are finished.
			BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
			Handler:           c.BasePath.serve(api.New(config)),
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       time.Minute,
			WriteTimeout:      2 * time.Minute,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
		},
	}, nil
}

// importURL returns the database URL that an import on this machine needs. It is nil where others than the users of
// this machine may ask for it, or where nobody should import: into the demo, which passes no database.
func importURL(database *databaseFlag, guard *api.Guard, listener net.Listener) *string {
	if database == nil || guard != nil || !listensLocally(listener) {
		return nil
	}
	if databaseURL, ok := database.pasted(); ok {
		return &databaseURL
	}
	return nil
}

func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// run serves until ctx ends, and then until the requests under way are answered, or cut off when the time for that
// is over, and upkeep has stopped.
func (s *server) run(ctx context.Context) error {
	stopUpkeep := s.upkeep.start(ctx)
	defer stopUpkeep()
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	// ctx is over already; what is under way gets a deadline of its own.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		// Who still sends or waits is cut off: the database would wait for what they hold.
		return errors.Join(fmt.Errorf("requests were still under way after %s: %w", s.drain, err), s.http.Close())
	}
	return nil
}
