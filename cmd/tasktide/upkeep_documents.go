package main

import "tasktide/internal/upkeep"

// verifyDocument is the result of audit verify.
type verifyDocument struct {
	Began     moment   `json:"began"`
	Ended     moment   `json:"ended"`
	Workflows int64    `json:"workflows"`
	Tasks     int64    `json:"tasks"`
	Covered   int64    `json:"covered"` // tasks whose status is the one of their last row, by a whole chain
	Broken    int64    `json:"broken"`
	Rows      int64    `json:"rows"`
	Cells     int64    `json:"cells"`
	Found     int64    `json:"defects_found"`
	Defects   []defect `json:"defects"` // the first of them
}

type defect struct {
	WorkflowID int64   `json:"workflow_id"`
	TaskID     *int64  `json:"task_id"` // nil when it is not about one task
	At         *moment `json:"at"`      // nil when it is not about an instant
	What       string  `json:"what"`
}

func verifyDocumentOf(report upkeep.Report) verifyDocument {
	document := verifyDocument{
		Began: moment(report.Began), Ended: moment(report.Ended), Workflows: report.Workflows, Tasks: report.Tasks,
		Covered: report.Covered, Broken: report.Broken, Rows: report.Rows, Cells: report.Cells, Found: report.Found,
		Defects: []defect{},
	}
	for _, d := range report.Defects {
		told := defect{WorkflowID: d.WorkflowID, At: momentOf(d.At), What: d.What}
		if d.TaskID != 0 {
			told.TaskID = &d.TaskID
		}
		document.Defects = append(document.Defects, told)
	}
	return document
}

// retentionDocument is the result of a pass of retention.
type retentionDocument struct {
	Rows   int64 `json:"rows"`             // that were removed
	Hours  int64 `json:"hours"`            // whose counts were removed
	Failed int64 `json:"failed_workflows"` // left alone because something in them is wrong
}

// planDocument is the result of retention --dry-run.
type planDocument struct {
	Workflows []plannedRemoval `json:"workflows"`
	Held      string           `json:"held,omitempty"` // why a pass would remove nothing
}

type plannedRemoval struct {
	WorkflowID int64   `json:"workflow_id"`
	Name       string  `json:"name"`
	Rows       int64   `json:"rows"`
	RowsBefore *moment `json:"rows_before"` // nil when no rows are removed
	DataBefore *moment `json:"data_before"` // nil when no counts are removed
}

// recoveryDocument is the result of retention recover.
type recoveryDocument struct {
	Confirmed bool               `json:"confirmed"` // it was done
	Workflows []recoveredHorizon `json:"workflows"`
}

type recoveredHorizon struct {
	WorkflowID int64   `json:"workflow_id"`
	Name       string  `json:"name"`
	RowsFrom   *moment `json:"rows_from"` // what it becomes; nil when the workflow is left as it is
	DataFrom   *moment `json:"data_from"` // what it becomes; nil when it stays
}
