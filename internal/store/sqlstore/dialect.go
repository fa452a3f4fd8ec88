package sqlstore

import (
	"context"
	"io/fs"
	"strings"

	"tasktide/internal/jobmon"
)

// OverwriteOnConflict is [Dialect.Overwrite] where there is ON CONFLICT.
func OverwriteOnConflict(key, columns []string) string {
	set := make([]string, len(columns))
	for i, column := range columns {
		set[i] = column + " = excluded." + column
	}
	return " ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// Dialect is everything in which one database differs from another. Statements are otherwise the same
// everywhere: they quote "array" and "user", which are reserved words on some databases, and write a
// parameter as a question mark, which stands for nothing else in them.
type Dialect struct {
	// System is what OpenTelemetry calls the database.
	System string
	// Migrations holds the files NNNN_name.sql, numbered from 0001 without gaps.
	Migrations fs.FS
	// Tables selects the names of the tables that are there.
	Tables string
	// Lock selects 1 when this connection has taken the lock under which the schema is changed; it holds
	// it until it is closed. It is empty where a transaction that writes has the database to itself.
	Lock string
	// Clock is the statement that reads the database's clock with microseconds.
	Clock string
	// Parameter names the n-th parameter of a statement, from 1.
	Parameter func(n int) string
	// ForUpdate ends a SELECT that locks its rows. It is empty where a transaction that writes has the
	// database to itself.
	ForUpdate string
	// OneOf demands that a column is one of the ids, of which there is at least one and any number,
	// and returns the parameters of the clause. An index on the column must serve it, in a statement
	// that changes or locks rows too.
	OneOf func(column string, ids []int64) (clause string, parameters []any)
	// Greatest is the name of the function that returns the largest of its arguments.
	Greatest string
	// Lower takes a text to lower case, in all of Unicode.
	Lower func(text string) string
	// SkipExisting ends an INSERT that leaves out the rows whose unique key is taken. column is a
	// column of the table that the database does not number itself.
	SkipExisting func(column string) string
	// Overwrite ends an INSERT that takes the place of the rows with the same primary key: its columns
	// are key, and columns are those that are overwritten.
	Overwrite func(key, columns []string) string
	// UseIndex follows a table's name in a SELECT that has to go by an index, where the database may take
	// another because it reckons with fewer rows than there are. It is empty where that does not happen.
	UseIndex func(index string) string
	// ReturningID ends an INSERT of one row so that it returns the row's id. It is empty where the
	// driver tells the id of the last row.
	ReturningID string
	// Instant makes a parameter of an instant in microseconds since the Unix epoch, UTC, from 0 to
	// [store.MaxInstant].
	Instant func(microseconds int64) any
	// Classify recognises an error of the database by its number. An error that it does not know is CodeInternal.
	Classify func(err error) Failure
	// Deadlock recognises an error with which the database ends one of several transactions that wait for each
	// other. nil where there is no such error.
	Deadlock func(err error) bool
	// Room allocates a megabyte of disk space for the database, by statements of a transaction that is rolled back or in
	// another way, and gives it back. It returns what the database or the operating system says.
	Room func(ctx context.Context, exec func(statement string) error) error
	// Intact is a statement that returns "ok" when the database is not corrupt, and otherwise what is wrong. It is empty where the server
	// checks what it reads.
	Intact string
	// Database is the subject of the sentences that an operator reads; it holds no secret. Clients read the same
	// about "the database".
	Database jobmon.Database
	// Explain says in one sentence, without a secret, what about the database keeps it from being used at all, where
	// that can be said more exactly than by the sentence of a cause, and nil otherwise. It is asked while the database
	// is opened or checked.
	Explain func(err error) *jobmon.Error
}

// Failure is what an error of the database means.
type Failure struct {
	Code jobmon.Code
	// Cause is what is wrong with the database; empty where the request is what is wrong, or nothing is known.
	Cause jobmon.Cause
	// Retry says that the same transaction may succeed when it is run again.
	Retry bool
}

// Request returns the failure of a request that cannot work as it stands.
func Request(code jobmon.Code) Failure { return Failure{Code: code} }

// Outage returns the failure of a database that cannot do what it was asked until its cause is gone. It is not run
// again: where a connection broke, it may have been stored.
func Outage(cause jobmon.Cause) Failure { return Failure{Code: jobmon.CodeUnavailable, Cause: cause} }

// Contended returns the failure of a transaction that another one was in the way of. The cause is
// [jobmon.CauseLocked] where it waited for a lock until the time for that was over, and empty where the database
// chose it to end.
func Contended(cause jobmon.Cause) Failure {
	return Failure{Code: jobmon.CodeContention, Cause: cause, Retry: true}
}

// Unknown returns the failure that nobody foresaw.
func Unknown() Failure { return Failure{Code: jobmon.CodeInternal} }
