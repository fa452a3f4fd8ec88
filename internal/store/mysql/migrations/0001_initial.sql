-- JobMon's tables for MySQL 8.0.17+ and MariaDB 10.6+, as internal/store/sqlite has them. Instants are
-- DATETIME(6), UTC. Names compare byte by byte, and a space at the end counts: the collations differ in
-- name only. A long text cannot be part of a key here: its SHA-256 stands in for it.
--
-- task.status and task_instance.status have a CHECK instead of a foreign key, which would bring an index
-- of its own that every move of a task would have to change.
--
-- task.task_template_id is that of the task's array, and needs no key of its own.
--
-- MySQL commits after each statement, so a migration may end half-way: each statement here does nothing
-- where it is already done. The runner sends one statement at a time; a statement ends with a semicolon
-- at the end of a line.

CREATE TABLE IF NOT EXISTS tool (
    id   BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS tool_version (
    id      BIGINT AUTO_INCREMENT PRIMARY KEY,
    tool_id BIGINT NOT NULL,
    INDEX idx_tool_version_tool_id (tool_id),
    FOREIGN KEY (tool_id) REFERENCES tool (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_template (
    id              BIGINT       AUTO_INCREMENT PRIMARY KEY,
    tool_version_id BIGINT       NOT NULL,
    name            VARCHAR(255) NOT NULL,
    UNIQUE (tool_version_id, name),
    FOREIGN KEY (tool_version_id) REFERENCES tool_version (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_template_version (
    id                    BIGINT       AUTO_INCREMENT PRIMARY KEY,
    task_template_id      BIGINT       NOT NULL,
    command_template      LONGTEXT     NOT NULL,
    command_template_hash BINARY(32)   GENERATED ALWAYS AS (UNHEX(SHA2(command_template, 256))) STORED,
    arg_mapping_hash      VARCHAR(255) NOT NULL,
    UNIQUE (task_template_id, command_template_hash, arg_mapping_hash),
    FOREIGN KEY (task_template_id) REFERENCES task_template (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS arg (
    id   BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS arg_type (
    id   BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO arg_type (id, name) VALUES (1, 'NODE_ARG'), (2, 'TASK_ARG'), (3, 'OP_ARG')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS template_arg_map (
    task_template_version_id BIGINT NOT NULL,
    arg_id                   BIGINT NOT NULL,
    arg_type_id              BIGINT NOT NULL,
    PRIMARY KEY (task_template_version_id, arg_id, arg_type_id),
    FOREIGN KEY (task_template_version_id) REFERENCES task_template_version (id),
    FOREIGN KEY (arg_id) REFERENCES arg (id),
    FOREIGN KEY (arg_type_id) REFERENCES arg_type (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS node (
    id                       BIGINT       AUTO_INCREMENT PRIMARY KEY,
    task_template_version_id BIGINT       NOT NULL,
    node_args_hash           VARCHAR(255) NOT NULL,
    UNIQUE (task_template_version_id, node_args_hash),
    FOREIGN KEY (task_template_version_id) REFERENCES task_template_version (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS node_arg (
    node_id BIGINT   NOT NULL,
    arg_id  BIGINT   NOT NULL,
    val     LONGTEXT NOT NULL,
    PRIMARY KEY (node_id, arg_id),
    FOREIGN KEY (node_id) REFERENCES node (id),
    FOREIGN KEY (arg_id) REFERENCES arg (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS dag (
    id           BIGINT       AUTO_INCREMENT PRIMARY KEY,
    hash         VARCHAR(255) NOT NULL UNIQUE,
    created_date DATETIME(6)  NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS edge (
    dag_id              BIGINT   NOT NULL,
    node_id             BIGINT   NOT NULL,
    upstream_node_ids   LONGTEXT,
    downstream_node_ids LONGTEXT,
    PRIMARY KEY (dag_id, node_id),
    INDEX idx_edge_node_id (node_id),
    FOREIGN KEY (dag_id) REFERENCES dag (id),
    FOREIGN KEY (node_id) REFERENCES node (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS workflow_status (
    id          VARCHAR(1)   NOT NULL PRIMARY KEY,
    label       VARCHAR(255) NOT NULL,
    description LONGTEXT     NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO workflow_status (id, label, description) VALUES
    ('G', 'REGISTERING', 'Its tasks are being bound.'),
    ('Q', 'QUEUED', 'Bound; waits for its distributor.'),
    ('I', 'INSTANTIATING', 'Its distributor is starting.'),
    ('O', 'LAUNCHED', 'Its distributor is alive.'),
    ('R', 'RUNNING', 'Its tasks are being run.'),
    ('D', 'DONE', 'All its tasks are done.'),
    ('H', 'HALTED', 'Stopped so that it can be resumed.'),
    ('F', 'FAILED', 'Ended with tasks that are not done.'),
    ('A', 'ABORTED', 'Given up while it was being bound.')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS workflow_run_status (
    id          VARCHAR(1)   NOT NULL PRIMARY KEY,
    label       VARCHAR(255) NOT NULL,
    description LONGTEXT     NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
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
    ('A', 'ABORTED', 'Given up before its tasks were bound.')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS task_status (
    id          VARCHAR(1)   NOT NULL PRIMARY KEY,
    label       VARCHAR(255) NOT NULL,
    description LONGTEXT     NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO task_status (id, label, description) VALUES
    ('G', 'REGISTERING', 'Bound; may be queued once what it depends on is done.'),
    ('Q', 'QUEUED', 'Handed over to be run.'),
    ('I', 'INSTANTIATING', 'Being sent to its cluster.'),
    ('O', 'LAUNCHED', 'Waits on its cluster.'),
    ('R', 'RUNNING', 'Runs.'),
    ('D', 'DONE', 'Succeeded.'),
    ('E', 'ERROR_RECOVERABLE', 'An attempt failed; another status follows at once.'),
    ('A', 'ADJUSTING_RESOURCES', 'Waits for larger resources before the next attempt.'),
    ('F', 'ERROR_FATAL', 'Failed for good.')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS task_instance_status (
    id          VARCHAR(1)   NOT NULL PRIMARY KEY,
    label       VARCHAR(255) NOT NULL,
    description LONGTEXT     NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
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
    ('Z', 'RESOURCE_ERROR', 'Failed for want of resources.')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS workflow (
    id                       BIGINT       AUTO_INCREMENT PRIMARY KEY,
    tool_version_id          BIGINT       NOT NULL,
    dag_id                   BIGINT       NOT NULL,
    workflow_args_hash       VARCHAR(255) NOT NULL,
    task_hash                VARCHAR(255) NOT NULL,
    description              LONGTEXT     NOT NULL,
    name                     LONGTEXT     NOT NULL,
    workflow_args            LONGTEXT     NOT NULL,
    max_concurrently_running BIGINT       NOT NULL,
    created_date             DATETIME(6)  NULL,
    status_date              DATETIME(6)  NOT NULL,
    status                   VARCHAR(1)   NOT NULL,
    UNIQUE (tool_version_id, dag_id, workflow_args_hash, task_hash),
    INDEX idx_workflow_dag_id (dag_id),
    INDEX idx_workflow_status (status),
    INDEX idx_workflow_task_hash (task_hash),
    INDEX idx_workflow_workflow_args_hash (workflow_args_hash),
    FOREIGN KEY (tool_version_id) REFERENCES tool_version (id),
    FOREIGN KEY (dag_id) REFERENCES dag (id),
    FOREIGN KEY (status) REFERENCES workflow_status (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS workflow_attribute_type (
    id   BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS workflow_attribute (
    workflow_id                BIGINT   NOT NULL,
    workflow_attribute_type_id BIGINT   NOT NULL,
    value                      LONGTEXT NOT NULL,
    PRIMARY KEY (workflow_id, workflow_attribute_type_id),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id),
    FOREIGN KEY (workflow_attribute_type_id) REFERENCES workflow_attribute_type (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS workflow_run (
    id                    BIGINT       AUTO_INCREMENT PRIMARY KEY,
    workflow_id           BIGINT       NOT NULL,
    "user"                LONGTEXT     NOT NULL,
    jobmon_version        VARCHAR(255) NOT NULL,
    jobmon_server_version VARCHAR(255),
    status                VARCHAR(1)   NOT NULL,
    created_date          DATETIME(6)  NOT NULL,
    status_date           DATETIME(6)  NOT NULL,
    heartbeat_date        DATETIME(6)  NOT NULL,
    INDEX idx_workflow_run_workflow_id (workflow_id),
    INDEX idx_workflow_run_status_versions (status, jobmon_version, jobmon_server_version),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id),
    FOREIGN KEY (status) REFERENCES workflow_run_status (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS "array" (
    id                       BIGINT      AUTO_INCREMENT PRIMARY KEY,
    name                     LONGTEXT    NOT NULL,
    task_template_version_id BIGINT      NOT NULL,
    workflow_id              BIGINT      NOT NULL,
    max_concurrently_running BIGINT      NOT NULL,
    created_date             DATETIME(6) NOT NULL,
    UNIQUE (task_template_version_id, workflow_id),
    INDEX idx_array_workflow_id (workflow_id),
    FOREIGN KEY (task_template_version_id) REFERENCES task_template_version (id),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS cluster_type (
    id                BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name              VARCHAR(255) NOT NULL UNIQUE,
    logfile_templates LONGTEXT
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO cluster_type (id, name) VALUES (1, 'dummy'), (2, 'sequential'), (3, 'multiprocess')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS cluster (
    id                    BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name                  VARCHAR(255) NOT NULL UNIQUE,
    cluster_type_id       BIGINT       NOT NULL,
    connection_parameters LONGTEXT,
    FOREIGN KEY (cluster_type_id) REFERENCES cluster_type (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO cluster (id, name, cluster_type_id) VALUES (1, 'dummy', 1), (2, 'sequential', 2), (3, 'multiprocess', 3)
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS queue (
    id         BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name       VARCHAR(255) NOT NULL,
    cluster_id BIGINT       NOT NULL,
    parameters LONGTEXT     NOT NULL,
    UNIQUE (name, cluster_id),
    FOREIGN KEY (cluster_id) REFERENCES cluster (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO queue (id, name, cluster_id, parameters) VALUES
    (1, 'null.q', 1, '{}'),
    (2, 'null.q', 2, '{}'),
    (3, 'null.q', 3, '{"cores": (1,20)}')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS task_resources_type (
    id    VARCHAR(1)   NOT NULL PRIMARY KEY,
    label VARCHAR(255) NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO task_resources_type (id, label) VALUES ('O', 'ORIGINAL'), ('V', 'VALIDATED'), ('A', 'ADJUSTED')
ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS task_resources (
    id                     BIGINT     AUTO_INCREMENT PRIMARY KEY,
    queue_id               BIGINT,
    task_resources_type_id VARCHAR(1) NOT NULL,
    requested_resources    LONGTEXT   NOT NULL,
    FOREIGN KEY (queue_id) REFERENCES queue (id),
    FOREIGN KEY (task_resources_type_id) REFERENCES task_resources_type (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task (
    id                BIGINT       AUTO_INCREMENT PRIMARY KEY,
    workflow_id       BIGINT       NOT NULL,
    node_id           BIGINT       NOT NULL,
    task_args_hash    VARCHAR(255) NOT NULL,
    array_id          BIGINT       NOT NULL,
    task_template_id  BIGINT       NOT NULL,
    name              LONGTEXT     NOT NULL,
    command           LONGTEXT     NOT NULL,
    task_resources_id BIGINT,
    num_attempts      BIGINT       NOT NULL,
    max_attempts      BIGINT       NOT NULL,
    resource_scales   LONGTEXT     NOT NULL,
    fallback_queues   LONGTEXT     NOT NULL,
    status            VARCHAR(1)   NOT NULL CHECK (status IN ('G', 'Q', 'I', 'O', 'R', 'D', 'E', 'A', 'F')),
    status_date       DATETIME(6)  NOT NULL,
    UNIQUE (workflow_id, node_id, task_args_hash),
    INDEX idx_task_node_id (node_id),
    INDEX idx_task_array_id (array_id),
    INDEX idx_task_workflow_status (workflow_id, status),
    INDEX idx_task_workflow_status_date (workflow_id, status_date),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id),
    FOREIGN KEY (node_id) REFERENCES node (id),
    FOREIGN KEY (array_id) REFERENCES "array" (id),
    FOREIGN KEY (task_resources_id) REFERENCES task_resources (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_arg (
    task_id BIGINT   NOT NULL,
    arg_id  BIGINT   NOT NULL,
    val     LONGTEXT NOT NULL,
    PRIMARY KEY (task_id, arg_id),
    FOREIGN KEY (task_id) REFERENCES task (id),
    FOREIGN KEY (arg_id) REFERENCES arg (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_attribute_type (
    id   BIGINT       AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_attribute (
    task_id                BIGINT   NOT NULL,
    task_attribute_type_id BIGINT   NOT NULL,
    value                  LONGTEXT,
    PRIMARY KEY (task_id, task_attribute_type_id),
    FOREIGN KEY (task_id) REFERENCES task (id),
    FOREIGN KEY (task_attribute_type_id) REFERENCES task_attribute_type (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_instance (
    id                BIGINT      AUTO_INCREMENT PRIMARY KEY,
    workflow_run_id   BIGINT      NOT NULL,
    array_id          BIGINT      NOT NULL,
    task_id           BIGINT      NOT NULL,
    distributor_id    LONGTEXT,
    task_resources_id BIGINT      NOT NULL,
    array_batch_num   BIGINT      NOT NULL,
    array_step_id     BIGINT      NOT NULL,
    nodename          LONGTEXT,
    process_group_id  BIGINT,
    usage_str         LONGTEXT,
    wallclock         LONGTEXT,
    maxrss            LONGTEXT,
    maxpss            LONGTEXT,
    cpu               LONGTEXT,
    io                LONGTEXT,
    stdout            LONGTEXT,
    stderr            LONGTEXT,
    stdout_log        LONGTEXT,
    stderr_log        LONGTEXT,
    status            VARCHAR(1)  NOT NULL CHECK (status IN ('Q', 'I', 'O', 'R', 'T', 'D', 'E', 'F', 'K', 'W', 'X', 'U', 'Z')),
    submitted_date    DATETIME(6) NULL,
    status_date       DATETIME(6) NOT NULL,
    report_by_date    DATETIME(6) NULL,
    UNIQUE (array_id, array_batch_num, array_step_id),
    INDEX idx_task_instance_workflow_run_id (workflow_run_id, status),
    INDEX idx_task_instance_task_id (task_id),
    FOREIGN KEY (workflow_run_id) REFERENCES workflow_run (id),
    FOREIGN KEY (array_id) REFERENCES "array" (id),
    FOREIGN KEY (task_id) REFERENCES task (id),
    FOREIGN KEY (task_resources_id) REFERENCES task_resources (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS task_instance_error_log (
    id               BIGINT      AUTO_INCREMENT PRIMARY KEY,
    task_instance_id BIGINT      NOT NULL,
    error_time       DATETIME(6) NOT NULL,
    description      LONGTEXT    NOT NULL,
    INDEX idx_task_instance_error_log_task_instance_id (task_instance_id),
    FOREIGN KEY (task_instance_id) REFERENCES task_instance (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Append-only; one row for each change of task.status. Statuses are held by a CHECK and nothing refers
-- to task: for a tenth of the write rate, a foreign key would only check that a task is there which was
-- locked before the row was written. previous_at is when the status that is left was entered; stored_at is when the
-- row was written, which differs from changed_at for an imported run.
CREATE TABLE IF NOT EXISTS task_status_audit (
    id               BIGINT      AUTO_INCREMENT PRIMARY KEY,
    task_id          BIGINT      NOT NULL,
    workflow_id      BIGINT      NOT NULL,
    task_template_id BIGINT      NOT NULL,
    previous_status  VARCHAR(1)  CHECK (previous_status IN ('G', 'Q', 'I', 'O', 'R', 'D', 'E', 'A', 'F')),
    new_status       VARCHAR(1)  NOT NULL CHECK (new_status IN ('G', 'Q', 'I', 'O', 'R', 'D', 'E', 'A', 'F')),
    changed_at       DATETIME(6) NOT NULL,
    previous_at      DATETIME(6) NULL,
    stored_at        DATETIME(6) NOT NULL,
    INDEX idx_task_status_audit_task_id (task_id, changed_at),
    INDEX idx_task_status_audit_changed_at (changed_at),
    INDEX idx_task_status_audit_workflow_time (workflow_id, changed_at)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Append-only; one row for each change of a limit. array_id is NULL for the workflow's own.
CREATE TABLE IF NOT EXISTS concurrency_limit (
    id                       BIGINT      AUTO_INCREMENT PRIMARY KEY,
    workflow_id              BIGINT      NOT NULL,
    array_id                 BIGINT,
    max_concurrently_running BIGINT      NOT NULL,
    changed_at               DATETIME(6) NOT NULL,
    INDEX idx_concurrency_limit_workflow_time (workflow_id, changed_at),
    INDEX idx_concurrency_limit_array_id (array_id),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id),
    FOREIGN KEY (array_id) REFERENCES "array" (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Runs that were loaded from elsewhere. Until published_at is set, nobody sees the workflow; staged_at
-- is when its import was last heard of, 0 once it is being removed.
CREATE TABLE IF NOT EXISTS workflow_import (
    workflow_id  BIGINT       NOT NULL PRIMARY KEY,
    name         VARCHAR(255) NOT NULL,
    engine       VARCHAR(255) NOT NULL,
    source_hash  VARCHAR(255) NOT NULL,
    staged_tasks BIGINT       NOT NULL,
    staged_at    DATETIME(6)  NOT NULL,
    published_at DATETIME(6)  NULL,
    UNIQUE (name, source_hash),
    INDEX idx_workflow_import_published_at (published_at),
    FOREIGN KEY (workflow_id) REFERENCES workflow (id)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
