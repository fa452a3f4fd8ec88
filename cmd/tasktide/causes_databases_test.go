package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
)

func troubleSQLite(t *testing.T) {
	t.Helper()
	folder := smallDisk(t, "8m", current(t))
	path := filepath.Join(folder, "runs.db")
	d := &troubled{t: t, url: "sqlite://" + path, database: jobmon.Database{Name: "the database " + path, File: true}}
	d.start()
	var mend func()
	d.meet(trouble{cause: jobmon.CauseDiskFull, begin: func() { mend = fill(t, folder) }, end: func() { mend() }})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	d.meet(trouble{
		cause: jobmon.CauseLocked,
		begin: func() { pass(t, other, "BEGIN IMMEDIATE") }, end: func() { pass(t, other, "ROLLBACK") },
	})
	var rootPage int64
	if err := other.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_schema WHERE name = 'tool'").Scan(&rootPage); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	d.stop(jobmon.CauseDiskFull, jobmon.CauseLocked)

	mend = fill(t, folder)
	fresh := "sqlite://" + filepath.Join(folder, "fresh.db")
	if code, out, _ := call("config", "check", "--database-url", fresh, "--listen", "127.0.0.1:0"); code != 1 || !strings.Contains(out, "has no disk space left") {
		t.Errorf("for a file that is not there, config check on a full disk exits %d with %q", code, out)
	}
	mend()

	execute(t, "mount", "-o", "remount,ro", folder)
	d.refusesToOpen(trouble{cause: jobmon.CauseReadOnly})
	if code, _, errOut := call("serve", "--database-url", d.url, "--listen", "127.0.0.1:0"); code != 1 || !strings.Contains(errOut, jobmon.CauseReadOnly.Sentence(d.database)) {
		t.Errorf("on a read-only disk, serve exits %d with %q", code, errOut)
	}
	execute(t, "mount", "-o", "remount,rw", folder)
	d.refuses(nobody(t), jobmon.CausePermission)

	const pageSize = 4096
	damage(t, path, (rootPage-1)*pageSize, rootPage*pageSize)
	d.start()
	d.meet(trouble{cause: jobmon.CauseCorrupt, begin: func() {}})
	d.stop(jobmon.CauseCorrupt)
}

func troublePostgres(t *testing.T) {
	t.Helper()
	disk := smallDisk(t, "40m", nobody(t))
	server, err := testdb.Start(testdb.PostgreSQL, testdb.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	admin, err := server.Connect("")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	space := filepath.Join(disk, "space")
	execute(t, "install", "-d", "-o", "nobody", "-m", "0700", space)
	pass(t, admin, "CREATE TABLESPACE small LOCATION '"+space+"'")
	pass(t, admin, "CREATE ROLE limited LOGIN PASSWORD 'secret'")
	pass(t, admin, "CREATE DATABASE troubled OWNER limited TABLESPACE small")
	d := &troubled{
		t: t, url: as(t, server.URL("troubled"), "limited", "secret"),
		database: jobmon.Database{Name: "the database server " + host(t, server.URL("troubled"))},
	}
	d.start()
	inside, err := server.Connect("troubled")
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	cut := func() {
		pass(t, admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'limited'")
	}
	restart := func() {
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	var mend func()
	var lock *sql.Tx
	d.meet(trouble{
		cause: jobmon.CauseDiskFull, quiet: true,
		begin: func() { mend = fill(t, disk) }, end: func() { mend() },
	})
	d.meet(trouble{
		cause: jobmon.CauseLocked,
		begin: func() {
			if lock, err = inside.BeginTx(t.Context(), nil); err == nil {
				_, err = lock.ExecContext(t.Context(), "LOCK TABLE tool, schema_version IN SHARE ROW EXCLUSIVE MODE")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		end: func() { _ = lock.Rollback() },
	})
	d.meet(trouble{
		cause: jobmon.CauseTooManyConnections,
		begin: func() { pass(t, admin, "ALTER ROLE limited CONNECTION LIMIT 0"); cut() },
		end:   func() { pass(t, admin, "ALTER ROLE limited CONNECTION LIMIT -1") },
	})
	d.meet(trouble{
		cause: jobmon.CausePermission, says: d.database.Name + ` refuses user "limited"; correct`,
		begin: func() { pass(t, admin, "ALTER ROLE limited PASSWORD 'other'"); cut() },
		end:   func() { pass(t, admin, "ALTER ROLE limited PASSWORD 'secret'") },
	})
	d.meet(trouble{cause: jobmon.CauseUnreachable, says: d.database.Name + " cannot be reached; ", begin: server.Kill, end: restart})
	standby := filepath.Join(server.Data(), "standby.signal")
	d.meet(trouble{
		cause: jobmon.CauseReadOnly,
		begin: func() { server.Kill(); execute(t, "touch", standby); restart() },
		end:   func() { server.Kill(); execute(t, "rm", standby); restart() },
	})
	d.meet(trouble{
		cause: jobmon.CauseCorrupt,
		begin: func() {
			var file string
			if err := inside.QueryRowContext(t.Context(), "SELECT pg_relation_filepath('tool')").Scan(&file); err != nil {
				t.Fatal(err)
			}
			pass(t, admin, "CHECKPOINT")
			server.Kill()
			mend = damage(t, filepath.Join(server.Data(), file), 0, 8192)
			restart()
		},
		end:    func() { server.Kill(); mend(); restart() },
		unseen: true,
	})
	d.stop(jobmon.CauseDiskFull, jobmon.CauseLocked, jobmon.CauseTooManyConnections, jobmon.CausePermission,
		jobmon.CauseUnreachable, jobmon.CauseReadOnly, jobmon.CauseCorrupt)
}

func troubleMariaDB(t *testing.T) {
	t.Helper()
	disk := smallDisk(t, "160m", nobody(t))
	server, err := testdb.Start(testdb.MariaDB, testdb.Settings{Directory: disk, MariaDB: []string{"--innodb-log-file-size=8M"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	admin, err := server.Connect("")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	pass(t, admin, "CREATE DATABASE troubled")
	pass(t, admin, "CREATE USER limited@localhost IDENTIFIED BY 'secret'")
	pass(t, admin, "GRANT ALL ON troubled.* TO limited@localhost")
	d := &troubled{
		t: t, url: as(t, server.URL("troubled"), "limited", "secret"),
		database: jobmon.Database{Name: "the database server " + host(t, server.URL("troubled"))},
	}
	d.start()
	cut := func() { pass(t, admin, "KILL USER limited") }
	restart := func() {
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	var mend func()
	d.meet(trouble{
		cause: jobmon.CauseDiskFull, quiet: true,
		begin: func() { mend = fill(t, disk) }, end: func() { mend() },
	})
	d.meet(trouble{
		cause: jobmon.CauseReadOnly,
		begin: func() { pass(t, admin, "SET GLOBAL read_only = 1") }, end: func() { pass(t, admin, "SET GLOBAL read_only = 0") },
	})
	var lock *sql.Conn
	d.meet(trouble{
		cause: jobmon.CauseLocked,
		begin: func() {
			if lock, err = admin.Conn(t.Context()); err == nil {
				_, err = lock.ExecContext(t.Context(), "LOCK TABLES troubled.tool READ, troubled.schema_version READ")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		end: func() {
			if _, err := lock.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
				t.Error(err)
			}
			_ = lock.Close()
		},
	})
	d.meet(trouble{
		cause: jobmon.CausePermission, says: d.database.Name + ` refuses user "limited"; correct`,
		begin: func() { pass(t, admin, "ALTER USER limited@localhost IDENTIFIED BY 'other'"); cut() },
		end:   func() { pass(t, admin, "ALTER USER limited@localhost IDENTIFIED BY 'secret'") },
	})
	held, err := sql.Open("mysql", "limited:secret@tcp("+host(t, server.URL("x"))+")/troubled")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	held.SetMaxOpenConns(1)
	d.meet(trouble{
		cause: jobmon.CauseTooManyConnections,
		begin: func() {
			pass(t, admin, "ALTER USER limited@localhost WITH MAX_USER_CONNECTIONS 1")
			for holds := false; !holds; holds = held.PingContext(t.Context()) == nil {
				cut()
			}
		},
		end: func() { pass(t, admin, "ALTER USER limited@localhost WITH MAX_USER_CONNECTIONS 0") },
	})
	held.Close()
	d.meet(trouble{cause: jobmon.CauseUnreachable, begin: server.Kill, end: restart})
	d.meet(trouble{
		cause: jobmon.CauseCorrupt, unseen: true,
		begin: func() {
			// A server that was killed would look at the page before it starts.
			if err := server.Shutdown(); err != nil {
				t.Fatal(err)
			}
			mend = damage(t, filepath.Join(server.Data(), "troubled", "tool.ibd"), 3*16384, 4*16384)
			restart()
		},
		end: func() { server.Kill(); mend(); restart() },
	})
	d.stop(jobmon.CauseDiskFull, jobmon.CauseLocked, jobmon.CauseTooManyConnections, jobmon.CausePermission,
		jobmon.CauseUnreachable, jobmon.CauseReadOnly, jobmon.CauseCorrupt)
}
