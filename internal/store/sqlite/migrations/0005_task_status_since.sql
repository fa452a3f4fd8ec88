-- The tasks in a status by when they entered it, with their templates: a page of them costs what it holds, and
-- to count them takes no look at each.
CREATE INDEX idx_task_workflow_status_since ON task (workflow_id, status, status_date, id, task_template_id);
DROP INDEX idx_task_workflow_status;
