-- JobMon's tables, with 64-bit ids, instants in microseconds since the Unix epoch (UTC), foreign keys
-- and the natural keys that JobMon only assumes. Names compare byte by byte (SQLite's BINARY).
--
-- The runner sends one statement at a time; a statement ends with a semicolon at the end of a line.

CREATE TABLE tool (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE tool_version (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tool_id INTEGER NOT NULL REFERENCES tool (id)
);
CREATE INDEX idx_tool_version_tool_id ON tool_version (tool_id);

CREATE TABLE task_template (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tool_version_id INTEGER NOT NULL REFERENCES tool_version (id),
    name            TEXT    NOT NULL,
    UNIQUE (tool_version_id, name)
);

CREATE TABLE task_template_version (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    task_template_id INTEGER NOT NULL REFERENCES task_template (id),
    command_template TEXT    NOT NULL,
    arg_mapping_hash TEXT    NOT NULL,
    UNIQUE (task_template_id, command_template, arg_mapping_hash)
);

CREATE TABLE arg (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE arg_type (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO arg_type (id, name) VALUES (1, 'NODE_ARG'), (2, 'TASK_ARG'), (3, 'OP_ARG');

CREATE TABLE template_arg_map (
    task_template_version_id INTEGER NOT NULL REFERENCES task_template_version (id),
    arg_id                   INTEGER NOT NULL REFERENCES arg (id),
    arg_type_id              INTEGER NOT NULL REFERENCES arg_type (id),
    PRIMARY KEY (task_template_version_id, arg_id, arg_type_id)
);

CREATE TABLE node (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    task_template_version_id INTEGER NOT NULL REFERENCES task_template_version (id),
    node_args_hash           TEXT    NOT NULL,
    UNIQUE (task_template_version_id, node_args_hash)
);

CREATE TABLE node_arg (
    node_id INTEGER NOT NULL REFERENCES node (id),
    arg_id  INTEGER NOT NULL REFERENCES arg (id),
    val     TEXT    NOT NULL,
    PRIMARY KEY (node_id, arg_id)
);

CREATE TABLE dag (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    hash         TEXT NOT NULL UNIQUE,
    created_date INTEGER
);

CREATE TABLE edge (
    dag_id              INTEGER NOT NULL REFERENCES dag (id),
    node_id             INTEGER NOT NULL REFERENCES node (id),
    upstream_node_ids   TEXT,
    downstream_node_ids TEXT,
    PRIMARY KEY (dag_id, node_id)
);
CREATE INDEX idx_edge_node_id ON edge (node_id);

CREATE TABLE workflow_status (
    id          TEXT PRIMARY KEY NOT NULL,
    label       TEXT NOT NULL,
    description TEXT NOT NULL
);
INSERT INTO workflow_status (id, label, description) VALUES
    ('G', 'REGISTERING', 'Its tasks are being bound.'),
    ('Q', 'QUEUED', 'Bound; waits for its distributor.'),
    ('I', 'INSTANTIATING', 'Its distributor is starting.'),
    ('O', 'LAUNCHED', 'Its distributor is alive.'),
    ('R', 'RUNNING', 'Its tasks are being run.'),
    ('D', 'DONE', 'All its tasks are done.'),
    ('H', 'HALTED', 'Stopped so that it can be resumed.'),
    ('F', 'FAILED', 'Ended with tasks that are not done.'),
    ('A', 'ABORTED', 'Given up while it was being bound.');

CREATE TABLE workflow_run_status (
    id          TEXT PRIMARY KEY NOT NULL,
    label       TEXT NOT NULL,
    description TEXT NOT NULL
);
INSERT INTO workflow_run_status (id, label, description) VALUES
    ('G', 'REGISTERED', 'Created.'),
    ('L', 'LINKING', 'Holds its workflow.'),
    ('B', 'BOUND', 'Its tasks are bound.'),
    ('I', 'INSTANTIATED', 'Its distributor is starting.'),
    ('O', 'LAUNCHED', 'Its distributor is alive.'),
    ('R', 'RUNNING', 'Runs tasks.'),
    ('D', 'DONE', 'All tasks are done.'),
    ('S', 'STOPPED', 'Stopped by its user.'),
    ('E', 'ERROR', 'Ended with an error.'),
    ('C', 'COLD_RESUME', 'To end, with all its task instances, for a new run.'),
    ('H', 'HOT_RESUME', 'To end for a new run; running task instances go on.'),
    ('T', 'TERMINATED', 'Ended for a new run.'),
    ('A', 'ABORTED', 'Given up before its tasks were bound.');

CREATE TABLE task_status (
    id          TEXT PRIMARY KEY NOT NULL,
    label       TEXT NOT NULL,
    description TEXT NOT NULL
);
INSERT INTO task_status (id, label, description) VALUES
    ('G', 'REGISTERING', 'Bound; may be queued once what it depends on is done.'),
    ('Q', 'QUEUED', 'Handed over to be run.'),
    ('I', 'INSTANTIATING', 'Being sent to its cluster.'),
    ('O', 'LAUNCHED', 'Waits on its cluster.'),
    ('R', 'RUNNING', 'Runs.'),
    ('D', 'DONE', 'Succeeded.'),
    ('E', 'ERROR_RECOVERABLE', 'An attempt failed; another status follows at once.'),
    ('A', 'ADJUSTING_RESOURCES', 'Waits for larger resources before the next attempt.'),
    ('F', 'ERROR_FATAL', 'Failed for good.');

CREATE TABLE task_instance_status (
    id          TEXT PRIMARY KEY NOT NULL,
    label       TEXT NOT NULL,
    description TEXT NOT NULL
);
INSERT INTO task_instance_status (id, label, description) VALUES
    ('Q', 'QUEUED', 'Handed over to be run.'),
    ('I', 'INSTANTIATED', 'Taken by a distributor.'),
    ('O', 'LAUNCHED', 'Waits on its cluster.'),
    ('R', 'RUNNING', 'Runs.'),
    ('T', 'TRIAGING', 'Not heard of in time; being looked for.'),
    ('D', 'DONE', 'Succeeded.'),
    ('E', 'ERROR', 'Failed.'),
    ('F', 'ERROR_FATAL', 'Failed or was killed; is not tried again.'),
    ('K', 'KILL_SELF', 'Told to end itself.'),
    ('W', 'NO_DISTRIBUTOR_ID', 'Could not be sent to its cluster.'),
    ('X', 'NO_HEARTBEAT', 'Was launched and never heard of.'),
    ('U', 'UNKNOWN_ERROR', 'Failed and nobody knows why.'),
    ('Z', 'RESOURCE_ERROR', 'Failed for want of resources.');

CREATE TABLE workflow (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    tool_version_id          INTEGER NOT NULL REFERENCES tool_version (id),
    dag_id                   INTEGER NOT NULL REFERENCES dag (id),
    workflow_args_hash       TEXT    NOT NULL,
    task_hash                TEXT    NOT NULL,
    description              TEXT    NOT NULL,
    name                     TEXT    NOT NULL,
    workflow_args            TEXT    NOT NULL,
    max_concurrently_running INTEGER NOT NULL,
    created_date             INTEGER,
    status_date              INTEGER NOT NULL,
    status                   TEXT    NOT NULL REFERENCES workflow_status (id),
    UNIQUE (tool_version_id, dag_id, workflow_args_hash, task_hash)
);
CREATE INDEX idx_workflow_dag_id ON workflow (dag_id);
CREATE INDEX idx_workflow_status ON workflow (status);
CREATE INDEX idx_workflow_task_hash ON workflow (task_hash);
CREATE INDEX idx_workflow_workflow_args_hash ON workflow (workflow_args_hash);

CREATE TABLE workflow_attribute_type (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE workflow_attribute (
    workflow_id                INTEGER NOT NULL REFERENCES workflow (id),
    workflow_attribute_type_id INTEGER NOT NULL REFERENCES workflow_attribute_type (id),
    value                      TEXT    NOT NULL,
    PRIMARY KEY (workflow_id, workflow_attribute_type_id)
);

CREATE TABLE workflow_run (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id           INTEGER NOT NULL REFERENCES workflow (id),
    "user"                TEXT    NOT NULL,
    jobmon_version        TEXT    NOT NULL,
    jobmon_server_version TEXT,
    status                TEXT    NOT NULL REFERENCES workflow_run_status (id),
    created_date          INTEGER NOT NULL,
    status_date           INTEGER NOT NULL,
    heartbeat_date        INTEGER NOT NULL
);
CREATE INDEX idx_workflow_run_workflow_id ON workflow_run (workflow_id);
CREATE INDEX idx_workflow_run_status_versions ON workflow_run (status, jobmon_version, jobmon_server_version);

CREATE TABLE "array" (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    name                     TEXT    NOT NULL,
    task_template_version_id INTEGER NOT NULL REFERENCES task_template_version (id),
    workflow_id              INTEGER NOT NULL REFERENCES workflow (id),
    max_concurrently_running INTEGER NOT NULL,
    created_date             INTEGER NOT NULL,
    UNIQUE (task_template_version_id, workflow_id)
);
CREATE INDEX idx_array_workflow_id ON "array" (workflow_id);

CREATE TABLE cluster_type (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL UNIQUE,
    logfile_templates TEXT
);
INSERT INTO cluster_type (id, name) VALUES (1, 'dummy'), (2, 'sequential'), (3, 'multiprocess');

CREATE TABLE cluster (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    name                  TEXT    NOT NULL UNIQUE,
    cluster_type_id       INTEGER NOT NULL REFERENCES cluster_type (id),
    connection_parameters TEXT
);
INSERT INTO cluster (id, name, cluster_type_id) VALUES (1, 'dummy', 1), (2, 'sequential', 2), (3, 'multiprocess', 3);

CREATE TABLE queue (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    cluster_id INTEGER NOT NULL REFERENCES cluster (id),
    parameters TEXT    NOT NULL,
    UNIQUE (name, cluster_id)
);
INSERT INTO queue (id, name, cluster_id, parameters) VALUES
    (1, 'null.q', 1, '{}'),
    (2, 'null.q', 2, '{}'),
    (3, 'null.q', 3, '{"cores": (1,20)}');

CREATE TABLE task_resources_type (
    id    TEXT PRIMARY KEY NOT NULL,
    label TEXT NOT NULL
);
INSERT INTO task_resources_type (id, label) VALUES ('O', 'ORIGINAL'), ('V', 'VALIDATED'), ('A', 'ADJUSTED');

CREATE TABLE task_resources (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id               INTEGER REFERENCES queue (id),
    task_resources_type_id TEXT NOT NULL REFERENCES task_resources_type (id),
    requested_resources    TEXT NOT NULL
);

CREATE TABLE task (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id       INTEGER NOT NULL REFERENCES workflow (id),
    node_id           INTEGER NOT NULL REFERENCES node (id),
    task_args_hash    TEXT    NOT NULL,
    array_id          INTEGER NOT NULL REFERENCES "array" (id),
    name              TEXT    NOT NULL,
    command           TEXT    NOT NULL,
    task_resources_id INTEGER REFERENCES task_resources (id),
    num_attempts      INTEGER NOT NULL,
    max_attempts      INTEGER NOT NULL,
    resource_scales   TEXT    NOT NULL,
    fallback_queues   TEXT    NOT NULL,
    status            TEXT    NOT NULL REFERENCES task_status (id),
    status_date       INTEGER NOT NULL,
    UNIQUE (workflow_id, node_id, task_args_hash)
);
CREATE INDEX idx_task_node_id ON task (node_id);
CREATE INDEX idx_task_array_id ON task (array_id);
CREATE INDEX idx_task_workflow_status ON task (workflow_id, status);
CREATE INDEX idx_task_workflow_status_date ON task (workflow_id, status_date);

CREATE TABLE task_arg (
    task_id INTEGER NOT NULL REFERENCES task (id),
    arg_id  INTEGER NOT NULL REFERENCES arg (id),
    val     TEXT    NOT NULL,
    PRIMARY KEY (task_id, arg_id)
);

CREATE TABLE task_attribute_type (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE task_attribute (
    task_id                INTEGER NOT NULL REFERENCES task (id),
    task_attribute_type_id INTEGER NOT NULL REFERENCES task_attribute_type (id),
    value                  TEXT,
    PRIMARY KEY (task_id, task_attribute_type_id)
);

CREATE TABLE task_instance (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_run_id   INTEGER NOT NULL REFERENCES workflow_run (id),
    array_id          INTEGER NOT NULL REFERENCES "array" (id),
    task_id           INTEGER NOT NULL REFERENCES task (id),
    distributor_id    TEXT,
    task_resources_id INTEGER NOT NULL REFERENCES task_resources (id),
    array_batch_num   INTEGER NOT NULL,
    array_step_id     INTEGER NOT NULL,
    nodename          TEXT,
    process_group_id  INTEGER,
    usage_str         TEXT,
    wallclock         TEXT,
    maxrss            TEXT,
    maxpss            TEXT,
    cpu               TEXT,
    io                TEXT,
    stdout            TEXT,
    stderr            TEXT,
    stdout_log        TEXT,
    stderr_log        TEXT,
    status            TEXT    NOT NULL REFERENCES task_instance_status (id),
    submitted_date    INTEGER,
    status_date       INTEGER NOT NULL,
    report_by_date    INTEGER,
    UNIQUE (array_id, array_batch_num, array_step_id)
);
CREATE INDEX idx_task_instance_workflow_run_id ON task_instance (workflow_run_id, status);
CREATE INDEX idx_task_instance_task_id ON task_instance (task_id);

CREATE TABLE task_instance_error_log (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    task_instance_id INTEGER NOT NULL REFERENCES task_instance (id),
    error_time       INTEGER NOT NULL,
    description      TEXT    NOT NULL
);
CREATE INDEX idx_task_instance_error_log_task_instance_id ON task_instance_error_log (task_instance_id);

-- Append-only; one row for each change of task.status. Statuses are held by a CHECK and nothing refers
-- to task: for a tenth of the write rate, a foreign key would only check that a task is there which was
-- locked before the row was written. previous_at is when the status that is left was entered; stored_at is when the
-- row was written, which differs from changed_at for an imported run.
CREATE TABLE task_status_audit (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id          INTEGER NOT NULL,
    workflow_id      INTEGER NOT NULL,
    task_template_id INTEGER NOT NULL,
    previous_status  TEXT CHECK (previous_status IN ('G', 'Q', 'I', 'O', 'R', 'D', 'E', 'A', 'F')),
    new_status       TEXT    NOT NULL CHECK (new_status IN ('G', 'Q', 'I', 'O', 'R', 'D', 'E', 'A', 'F')),
    changed_at       INTEGER NOT NULL,
    previous_at      INTEGER,
    stored_at        INTEGER NOT NULL
);
CREATE INDEX idx_task_status_audit_task_id ON task_status_audit (task_id, changed_at);
CREATE INDEX idx_task_status_audit_changed_at ON task_status_audit (changed_at);
CREATE INDEX idx_task_status_audit_workflow_time ON task_status_audit (workflow_id, changed_at);

-- Append-only; one row for each change of a limit. array_id is NULL for the workflow's own.
CREATE TABLE concurrency_limit (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id              INTEGER NOT NULL REFERENCES workflow (id),
    array_id                 INTEGER REFERENCES "array" (id),
    max_concurrently_running INTEGER NOT NULL,
    changed_at               INTEGER NOT NULL
);
CREATE INDEX idx_concurrency_limit_workflow_time ON concurrency_limit (workflow_id, changed_at);
CREATE INDEX idx_concurrency_limit_array_id ON concurrency_limit (array_id);

-- Runs that were loaded from elsewhere. Until published_at is set, nobody sees the workflow; staged_at
-- is when its import was last heard of, 0 once it is being removed.
CREATE TABLE workflow_import (
    workflow_id  INTEGER PRIMARY KEY NOT NULL REFERENCES workflow (id),
    name         TEXT    NOT NULL,
    engine       TEXT    NOT NULL,
    source_hash  TEXT    NOT NULL,
    staged_tasks INTEGER NOT NULL,
    staged_at    INTEGER NOT NULL,
    published_at INTEGER,
    UNIQUE (name, source_hash)
);
CREATE INDEX idx_workflow_import_published_at ON workflow_import (published_at);
