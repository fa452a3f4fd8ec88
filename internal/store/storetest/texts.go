package storetest

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// storeText stores a text in one place. It returns what tells two texts apart there, 0 where nothing can.
type storeText func(f *fixture, text string) (id int64, err error)

// inChange stores a text in a transaction that stores something else before.
func inChange(change func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error)) storeText {
	return func(f *fixture, text string) (id int64, err error) {
		err = f.store.Update(f.Context(), func(ctx context.Context, tx store.Tx) (err error) {
			if err := tx.AppendLimit(ctx, store.Limit{WorkflowID: f.workflow, At: begin}); err != nil {
				return err
			}
			id, err = change(ctx, tx, f, text)
			return err
		})
		return id, err
	}
}

func inWorkflow(set func(w *store.Workflow, text string)) storeText {
	return inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		workflow := store.Workflow{WorkflowKey: f.key, Status: jobmon.WorkflowDone, StatusAt: begin}
		workflow.TaskHash = newName()
		set(&workflow, text)
		return tx.SaveWorkflow(ctx, workflow)
	})
}

func inRun(set func(r *store.Run, text string)) storeText {
	return inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		run := store.Run{WorkflowID: f.workflow, Status: jobmon.RunLinking, StatusAt: begin}
		set(&run, text)
		return tx.SaveRun(ctx, run)
	})
}

func inTask(set func(t *store.Task, text string)) storeText {
	return func(f *fixture, text string) (int64, error) {
		task := f.newTasks(1)
		set(&task[0], text)
		return inChange(func(ctx context.Context, tx store.Tx, _ *fixture, _ string) (int64, error) {
			ids, err := tx.InsertTasks(ctx, task, begin)
			return append(ids, 0)[0], err
		})(f, text)
	}
}

func inDescription(set func(t *store.Task, text string)) storeText {
	return inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
		if err != nil {
			return 0, err
		}
		set(&tasks[0], text)
		return 0, tx.DescribeTask(ctx, tasks[0])
	})
}

func inReport(set func(r *store.InstanceReport, text *string)) storeText {
	return inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		instances, err := tx.LockInstances(ctx, store.InstanceFilter{RunID: f.run})
		if err != nil {
			return 0, err
		}
		move := store.InstanceMove{IDs: instanceIDs(instances), To: jobmon.InstanceRunning, At: begin}
		set(&move.Report, &text)
		return 0, tx.MoveInstances(ctx, move)
	})
}

func inVersion(set func(v *store.TaskTemplateVersion, text string)) storeText {
	return func(f *fixture, text string) (int64, error) {
		wanted := store.TaskTemplateVersion{TaskTemplateID: f.template.TaskTemplateID, ArgMappingHash: newName()}
		set(&wanted, text)
		version, err := f.store.RegisterTaskTemplateVersion(f.Context(), wanted)
		return version.ID, err
	}
}

func inImport(set func(i *store.Import, text string)) storeText {
	return func(f *fixture, text string) (int64, error) {
		run := store.Import{Name: newName(), Engine: "nextflow", SourceHash: newName()}
		set(&run, text)
		id, err := f.store.BeginImport(f.Context(), run)
		if err != nil {
			return 0, err
		}
		return id, f.store.PublishImport(f.Context(), id, jobmon.WorkflowDone)
	}
}

func inImportedTask(set func(h *jobmon.TaskHistory, text string)) storeText {
	return func(f *fixture, text string) (int64, error) {
		id, err := f.store.BeginImport(f.Context(), store.Import{Name: newName(), Engine: "nextflow", SourceHash: "abc"})
		f.ok(err)
		tasks := someTasks(0, 2)
		set(&tasks[1], text)
		if err := f.store.ImportTasks(f.Context(), id, tasks); err != nil {
			return 0, err
		}
		return id, f.store.PublishImport(f.Context(), id, jobmon.WorkflowDone)
	}
}

// keyTexts are the places of texts that are keys or part of one, or that are bound as keys are.
var keyTexts = map[string]storeText{
	"version": inRun(func(r *store.Run, text string) { r.JobmonVersion = text }),
	"tool": func(f *fixture, text string) (int64, error) {
		tool, err := f.store.RegisterTool(f.Context(), text)
		return tool.ID, err
	},
	"template": func(f *fixture, text string) (int64, error) {
		return f.store.RegisterTaskTemplate(f.Context(), f.toolVersion, text)
	},
	"argument": func(f *fixture, text string) (int64, error) {
		version, err := f.store.RegisterTaskTemplateVersion(f.Context(), store.TaskTemplateVersion{
			TaskTemplateID: f.template.TaskTemplateID, ArgMappingHash: newName(), OpArgs: []string{"o", text},
		})
		return version.ArgIDs[text], err
	},
	"arguments of a template": inVersion(func(v *store.TaskTemplateVersion, text string) { v.ArgMappingHash = text }),
	"dag": func(f *fixture, text string) (int64, error) {
		dag, err := f.store.RegisterDAG(f.Context(), text)
		return dag.ID, err
	},
	"node": func(f *fixture, text string) (int64, error) {
		ids, err := f.store.RegisterNodes(f.Context(), []store.Node{{TaskTemplateVersionID: f.template.ID, ArgsHash: text}})
		return append(ids, 0)[0], err
	},
	"arguments of a workflow": inWorkflow(func(w *store.Workflow, text string) { w.ArgsHash = text }),
	"tasks of a workflow":     inWorkflow(func(w *store.Workflow, text string) { w.TaskHash = text }),
	"arguments of a task":     inTask(func(t *store.Task, text string) { t.ArgsHash = text }),
	"attribute": inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		return 0, tx.SetWorkflowAttributes(ctx, f.workflow, map[string]string{"a": "1", text: "2"})
	}),
	"import":                inImport(func(i *store.Import, text string) { i.Name = text }),
	"source of an import":   inImport(func(i *store.Import, text string) { i.SourceHash = text }),
	"engine of an import":   inImport(func(i *store.Import, text string) { i.Engine = text }),
	"template of an import": inImportedTask(func(h *jobmon.TaskHistory, text string) { h.Template = text }),
}

// longTexts are the places of texts that are no keys and may be long.
var longTexts = map[string]storeText{
	"description of a workflow": inWorkflow(func(w *store.Workflow, text string) { w.Description = text }),
	"command":                   inTask(func(t *store.Task, text string) { t.Command = text }),
	"described command":         inDescription(func(t *store.Task, text string) { t.Command = text }),
	"command of a template":     inVersion(func(v *store.TaskTemplateVersion, text string) { v.CommandTemplate = text }),
	"resources": func(f *fixture, text string) (int64, error) {
		return f.store.AddTaskResources(f.Context(), store.TaskResources{Type: "O", Requested: text})
	},
	"stdout_log": inReport(func(r *store.InstanceReport, text *string) { r.StdoutLog = text }),
	"error": inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		instances, err := tx.LockInstances(ctx, store.InstanceFilter{RunID: f.run})
		if err != nil {
			return 0, err
		}
		return 0, tx.AppendInstanceErrors(ctx, instanceIDs(instances), text, begin)
	}),
}

// otherTexts are the places of all other texts.
var otherTexts = map[string]storeText{
	"name of a workflow": inWorkflow(func(w *store.Workflow, text string) { w.Name = text }),
	"args of a workflow": inWorkflow(func(w *store.Workflow, text string) { w.Args = text }),
	"user":               inRun(func(r *store.Run, text string) { r.User = text }),
	"name of a task":     inTask(func(t *store.Task, text string) { t.Name = text }),
	"described name":     inDescription(func(t *store.Task, text string) { t.Name = text }),
	"scales":             inTask(func(t *store.Task, text string) { t.ResourceScales = text }),
	"fallback queues":    inTask(func(t *store.Task, text string) { t.FallbackQueues = text }),
	"distributor id":     inReport(func(r *store.InstanceReport, text *string) { r.DistributorID = text }),
	"nodename":           inReport(func(r *store.InstanceReport, text *string) { r.Nodename = text }),
	"stdout":             inReport(func(r *store.InstanceReport, text *string) { r.Stdout = text }),
	"stderr":             inReport(func(r *store.InstanceReport, text *string) { r.Stderr = text }),
	"stderr_log":         inReport(func(r *store.InstanceReport, text *string) { r.StderrLog = text }),
	"wallclock":          inReport(func(r *store.InstanceReport, text *string) { r.Wallclock = text }),
	"maxrss":             inReport(func(r *store.InstanceReport, text *string) { r.MaxRSS = text }),
	"cpu":                inReport(func(r *store.InstanceReport, text *string) { r.CPU = text }),
	"usage":              inReport(func(r *store.InstanceReport, text *string) { r.Usage = text }),
	"name in an import":  inImportedTask(func(h *jobmon.TaskHistory, text string) { h.Name = text }),
	"value of an attribute": inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		return 0, tx.SetWorkflowAttributes(ctx, f.workflow, map[string]string{"a": text})
	}),
	"name of an array": inChange(func(ctx context.Context, tx store.Tx, f *fixture, text string) (int64, error) {
		return tx.SaveArray(ctx, store.Array{
			ID: f.array, TaskTemplateVersionID: f.template.ID, WorkflowID: f.workflow, Name: text, CreatedAt: begin,
		})
	}),
	"value of an argument": func(f *fixture, text string) (int64, error) {
		ids, err := f.store.RegisterNodes(f.Context(), []store.Node{
			{TaskTemplateVersionID: f.template.ID, ArgsHash: newName(), Args: map[int64]string{f.template.ArgIDs["x"]: text}},
		})
		return append(ids, 0)[0], err
	},
}
