package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

// session is a transaction that is under way.
type session struct {
	store *Store
	tx    *sql.Tx
	// failure is the first error that the database answered with. Some databases end the transaction
	// then, some only the statement, and one that has ended it would store what follows at once.
	failure *error
	span    *tracing.Span // of the transaction
	wrote   *bool         // set when a statement has changed something; may be nil
}

// call begins the span of a statement. Its text has no values in it: they are parameters.
func (s session) call(query string) *tracing.Span {
	if s.span == nil {
		return nil
	}
	words := strings.Fields(query)
	span := s.span.Client(words[0])
	span.Text("db.system.name", s.store.dialect.System)
	span.Text("db.operation.name", words[0])
	span.Text("db.query.text", strings.Join(words, " "))
	return span
}

// fail gives an error of the database its code, and ends the transaction with it.
func (s session) fail(ctx context.Context, err error) error {
	err = s.store.fail(ctx, err)
	if err != nil && *s.failure == nil {
		*s.failure = err
	}
	return err
}

// statement writes a statement and its parameters as the database wants them. It refuses a parameter
// that not every database can store, so that all of them answer alike.
func (s session) statement(query string, args []any) (string, []any, error) {
	if *s.failure != nil {
		return "", nil, *s.failure
	}
	var text strings.Builder
	text.Grow(len(query) + 2*len(args))
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		text.WriteString(before)
		if !found {
			break
		}
		text.WriteString(s.store.dialect.Parameter(n))
		query = after
	}
	for i, arg := range args {
		var err error
		switch arg := arg.(type) {
		case key:
			args[i], err = string(arg), checkKey(string(arg))
		case string:
			err = checkText(arg)
		case instantParameter:
			args[i], err = s.store.dialect.Instant(int64(arg)), checkInstant(int64(arg))
		}
		if err != nil {
			*s.failure = err
			return "", nil, err
		}
	}
	return text.String(), args, nil
}

// key is a parameter for a column that is part of a unique key.
type key string

// maxKey is how many characters of a key every database can hold in an index.
const maxKey = 255

func checkKey(text string) error {
	if characters := utf8.RuneCountInString(text); characters > maxKey {
		return jobmon.Errorf(jobmon.CodeTooLarge, "a name or hash of %d characters is too long; %d are allowed", characters, maxKey)
	}
	return checkText(text)
}

func checkText(text string) error {
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return jobmon.Errorf(jobmon.CodeInvalid, "a text must be valid UTF-8 without NUL characters")
	}
	return nil
}

func checkInstant(at int64) error {
	if at < 0 || at > store.MaxInstant {
		return jobmon.Errorf(jobmon.CodeInvalid, "an instant must lie in the years 1970 to 9999")
	}
	return nil
}

// exec runs a statement and returns how many rows it matched.
func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	query, args, err := s.statement(query, args)
	if err != nil {
		return 0, err
	}
	result, err := s.execute(ctx, query, args)
	if err != nil {
		return 0, err
	}
	matched, err := result.RowsAffected()
	s.changed(matched)
	return matched, s.fail(ctx, err)
}

// changed notes that a statement has changed rows.
func (s session) changed(rows int64) {
	if rows > 0 && s.wrote != nil {
		*s.wrote = true
	}
}

func (s session) execute(ctx context.Context, query string, args []any) (sql.Result, error) {
	span := s.call(query)
	result, err := s.tx.ExecContext(ctx, query, args...)
	if err != nil {
		err = s.fail(ctx, err)
	}
	span.End(err)
	return result, err
}

// insert runs an INSERT of one row and returns its id.
func (s session) insert(ctx context.Context, query string, args ...any) (int64, error) {
	if returning := s.store.dialect.ReturningID; returning != "" {
		id, err := one(ctx, s, "", number, query+returning, args...)
		if err == nil {
			s.changed(1)
		}
		return id, err
	}
	query, args, err := s.statement(query, args)
	if err != nil {
		return 0, err
	}
	result, err := s.execute(ctx, query, args)
	if err != nil {
		return 0, err
	}
	s.changed(1)
	id, err := result.LastInsertId()
	return id, s.fail(ctx, err)
}

// rowsPerStatement keeps an INSERT of the widest table far below every database's limit on parameters.
// With more rows a statement gets longer and not faster.
const rowsPerStatement = 500

// insertRows runs an INSERT of many rows in a few statements. head is the statement up to VALUES, tail
// what follows the rows.
func insertRows[T any](
	ctx context.Context, s session, head, tail string, rows []T, columns int, values func(T) []any,
) error {
	_, err := insertCounted(ctx, s, head, tail, rows, columns, values)
	return err
}

// insertCounted is insertRows, and returns how many rows the database says that it has inserted.
func insertCounted[T any](
	ctx context.Context, s session, head, tail string, rows []T, columns int, values func(T) []any,
) (inserted int64, err error) {
	tuple := "(" + placeholders(columns) + ")"
	args := make([]any, 0, min(len(rows), rowsPerStatement)*columns)
	for part := range slices.Chunk(rows, rowsPerStatement) {
		args = args[:0]
		for _, row := range part {
			args = append(args, values(row)...)
		}
		tuples := strings.Repeat(tuple+", ", len(part)-1) + tuple
		n, err := s.exec(ctx, head+" VALUES "+tuples+tail, args...)
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	return inserted, nil
}

// each yields the rows of a query. columns returns the destinations of the row's columns; it is called
// once, so that reading a row costs nothing but the row.
func each[T any](ctx context.Context, s session, columns func(row *T) []any, query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var row T
		query, args, err := s.statement(query, args)
		if err != nil {
			yield(row, err)
			return
		}
		span, read := s.call(query), int64(0)
		defer func() {
			span.Int("db.response.returned_rows", read)
			span.End(err)
		}()
		rows, err := s.tx.QueryContext(ctx, query, args...)
		if err != nil {
			err = s.fail(ctx, err)
			yield(row, err)
			return
		}
		defer rows.Close()
		into := columns(&row)
		for rows.Next() {
			if err = rows.Scan(into...); err != nil {
				err = s.fail(ctx, err)
				yield(row, err)
				return
			}
			read++
			if !yield(row, nil) {
				return
			}
		}
		if err = rows.Err(); err != nil {
			err = s.fail(ctx, err)
			yield(row, err)
		}
	}
}

// all returns the rows of a query.
func all[T any](ctx context.Context, s session, columns func(row *T) []any, query string, args ...any) ([]T, error) {
	return gather(each(ctx, s, columns, query, args...))
}

// gather returns what a sequence yields.
func gather[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var gathered []T
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		gathered = append(gathered, row)
	}
	return gathered, nil
}

// one returns the first row of a query, and CodeNotFound with the given message when there is none.
func one[T any](
	ctx context.Context, s session, missing string, columns func(row *T) []any, query string, args ...any,
) (T, error) {
	for row, err := range each(ctx, s, columns, query, args...) {
		return row, err
	}
	var none T
	return none, jobmon.Errorf(jobmon.CodeNotFound, "%s", missing)
}

func number(n *int64) []any { return []any{n} }

// now reads the database's clock.
func (s session) now(ctx context.Context) (int64, error) {
	return one(ctx, s, "", func(at *int64) []any { return []any{instant{at}} }, s.store.dialect.Clock)
}

// instantParameter is a parameter for an instant in microseconds since the Unix epoch, UTC.
type instantParameter int64

// at makes a parameter of an instant.
func (s session) at(microseconds int64) any { return instantParameter(microseconds) }

// atOrNull is at for an instant that may be "not yet".
func (s session) atOrNull(microseconds int64) any {
	if microseconds == 0 {
		return nil
	}
	return s.at(microseconds)
}

func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func placeholders(n int) string { return strings.Repeat("?, ", n-1) + "?" }

// conditions is a WHERE clause in the making.
type conditions struct {
	clauses []string
	args    []any
}

func (c *conditions) add(clause string, args ...any) {
	c.clauses = append(c.clauses, clause)
	c.args = append(c.args, args...)
}

// ids demands that a column is one of the ids, unless there are none.
func (c *conditions) ids(s session, column string, ids []int64) {
	if len(ids) > 0 {
		clause, parameters := s.among(column, ids)
		c.add(clause, parameters...)
	}
}

// among demands that a column is one of the ids, of which there is at least one. One alone is the most
// frequent case by far, and the one that databases plan once and for all.
func (s session) among(column string, ids []int64) (clause string, parameters []any) {
	if len(ids) == 1 {
		return column + " = ?", []any{ids[0]}
	}
	return s.store.dialect.OneOf(column, ids)
}

// id demands that a column has a value, unless that is 0.
func (c *conditions) id(column string, id int64) {
	if id != 0 {
		c.add(column+" = ?", id)
	}
}

// oneOf demands that a column is one of the statuses, unless there are none.
func oneOf[S ~byte](c *conditions, column string, statuses []S) {
	if len(statuses) == 0 {
		return
	}
	letters := make([]any, len(statuses))
	for i, status := range statuses {
		letters[i] = string(rune(status))
	}
	c.add(column+" IN ("+placeholders(len(letters))+")", letters...)
}

// where returns the clause, which selects nothing when no condition was set.
func (c *conditions) where() string {
	if len(c.clauses) == 0 {
		return " WHERE 1 = 0"
	}
	return " WHERE " + strings.Join(c.clauses, " AND ")
}

// instant scans an instant into microseconds since the Unix epoch, UTC; NULL is 0.
type instant struct{ to *int64 }

// Scan implements [sql.Scanner].
func (i instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*i.to = 0
	case int64:
		*i.to = value
	case time.Time:
		*i.to = value.UnixMicro()
	default:
		return fmt.Errorf("%T is not an instant", value)
	}
	return nil
}

// letter scans a status; NULL is 0.
type letter[S ~byte] struct{ to *S }

func status[S ~byte](to *S) letter[S] { return letter[S]{to} }

// Scan implements [sql.Scanner].
func (l letter[S]) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*l.to = 0
		return nil
	case string:
		if len(value) == 1 {
			*l.to = S(value[0])
			return nil
		}
	case []byte:
		if len(value) == 1 {
			*l.to = S(value[0])
			return nil
		}
	}
	return fmt.Errorf("%v is not a status", value)
}

// zero scans a value of which NULL is the zero value.
type zero[T any] struct{ to *T }

func orZero[T any](to *T) zero[T] { return zero[T]{to} }

// Scan implements [sql.Scanner].
func (z zero[T]) Scan(value any) error {
	var nullable sql.Null[T]
	err := nullable.Scan(value)
	*z.to = nullable.V
	return err
}
