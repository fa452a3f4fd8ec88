package sqlite

import (
	"context"
	"database/sql/driver"
)

const (
	// maxPrepared is how many statements a connection keeps prepared: all that a request runs, in the few
	// forms that each of them takes.
	maxPrepared = 64
	// maxPreparedText is how many bytes a statement has that is kept prepared. A longer one lists what is
	// asked for, and will hardly be asked for again.
	maxPreparedText = 4 << 10
)

// driverConn is what database/sql uses of a connection of the driver.
type driverConn interface {
	driver.Conn
	driver.Pinger
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// conn is a connection that parses and plans a statement once: for a short answer, that takes as long as
// to run it. Like every connection, it is used by one at a time.
type conn struct {
	driverConn

	prepared map[string]*prepared
}

// prepared is a statement, and whether somebody still reads what it found.
type prepared struct {
	statement
	reading bool
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// prepare returns a statement that is kept. It is not ok when the statement should be run as it comes.
func (c *conn) prepare(ctx context.Context, query string) (kept *prepared, ok bool, err error) {
	if kept, ok = c.prepared[query]; ok {
		return kept, !kept.reading, nil
	}
	if len(query) > maxPreparedText {
		return nil, false, nil
	}
	if len(c.prepared) >= maxPrepared {
		if err := c.forget(); err != nil {
			return nil, false, err
		}
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, false, err
	}
	kept = &prepared{statement: stmt.(statement)} //nolint:forcetypeassert // every test runs one
	c.prepared[query] = kept
	return kept, true, nil
}

// forget drops the statements that nobody reads from.
func (c *conn) forget() error {
	for query, kept := range c.prepared {
		if kept.reading {
			continue
		}
		delete(c.prepared, query)
		if err := kept.Close(); err != nil {
			return err
		}
	}
	return nil
}

// ExecContext implements [driver.ExecerContext].
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	kept, ok, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.driverConn.ExecContext(ctx, query, args)
	}
	return kept.ExecContext(ctx, args)
}

// QueryContext implements [driver.QueryerContext].
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	kept, ok, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.driverConn.QueryContext(ctx, query, args)
	}
	found, err := kept.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	kept.reading = true
	return &rows{found, kept}, nil
}

// Close implements [driver.Conn].
func (c *conn) Close() error {
	for _, kept := range c.prepared {
		kept.Close() //nolint:gosec // what closing the connection says tells more
	}
	return c.driverConn.Close()
}

// rows are what a prepared statement found.
type rows struct {
	driver.Rows
	of *prepared
}

// Close implements [driver.Rows].
func (r *rows) Close() error {
	r.of.reading = false
	return r.Rows.Close()
}
