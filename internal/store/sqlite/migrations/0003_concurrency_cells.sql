-- Which minutes (since the Unix epoch, UTC) have rows in the audit that the cells do not tell of yet:
-- written in the transaction that writes the rows, and never twice under one id.
CREATE TABLE concurrency_mark (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL,
    minute      INTEGER NOT NULL
);
CREATE INDEX idx_concurrency_mark_workflow_minute ON concurrency_mark (workflow_id, minute);

-- What the audit says, summed up: for a status, PENDING or ACTIVE, adjacent cells of cell_minutes each, the
-- first of which begins at first_minute. With cell_minutes = 0 it is what all that was removed sums up to.
CREATE TABLE concurrency_block (
    workflow_id  INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    cell_minutes INTEGER NOT NULL,
    first_minute INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    cells        BLOB    NOT NULL,
    PRIMARY KEY (workflow_id, status, cell_minutes, first_minute)
);

-- How far back a workflow's history reaches: its rows, and its cells. first_at and last_at are its first and
-- last transition as far as those are removed. kept says that nothing is removed because of its age.
CREATE TABLE workflow_horizon (
    workflow_id INTEGER PRIMARY KEY NOT NULL,
    rows_from   INTEGER NOT NULL,
    data_from   INTEGER NOT NULL,
    first_at    INTEGER,
    last_at     INTEGER,
    generation  INTEGER NOT NULL,
    kept        INTEGER NOT NULL
);

-- Rows that are there already are summed up as if they had just been written.
INSERT INTO concurrency_mark (workflow_id, minute)
SELECT DISTINCT workflow_id, changed_at / 60000000 FROM task_status_audit;
INSERT INTO workflow_horizon (workflow_id, rows_from, data_from, generation, kept)
SELECT workflow_id, 0, 0, 0, 1 FROM workflow_import;
