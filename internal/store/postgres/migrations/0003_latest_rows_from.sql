-- What is written is held against the latest of these each time.
CREATE INDEX idx_workflow_horizon_rows_from ON workflow_horizon (rows_from);

-- With the id, so that the first task of an array is looked up and never searched for.
DROP INDEX idx_task_array_id;
CREATE INDEX idx_task_array_id ON task (array_id, id);
