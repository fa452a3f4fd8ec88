-- The template of a task's array, so that an audit row can be written from its task alone. It follows from
-- the array and needs no key of its own.
ALTER TABLE task ADD COLUMN task_template_id INTEGER NOT NULL DEFAULT 0;
UPDATE task SET task_template_id = (
    SELECT v.task_template_id FROM "array" a JOIN task_template_version v ON v.id = a.task_template_version_id
    WHERE a.id = task.array_id
);
