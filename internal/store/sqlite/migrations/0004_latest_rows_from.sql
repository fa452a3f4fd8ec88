-- What is written is held against the latest of these each time.
CREATE INDEX idx_workflow_horizon_rows_from ON workflow_horizon (rows_from);
