package api

import (
	"context"
	"encoding/json"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

type historyRequest struct {
	TaskID int64 `path:"task_id"`
}

type historyAnswer struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	WorkflowID       int64             `json:"workflow_id"`
	TaskTemplateName string            `json:"task_template_name"`
	Status           jobmon.TaskStatus `json:"status"`
	StatusName       string            `json:"status_name"`
	Since            instant           `json:"since"`
	NumAttempts      int               `json:"num_attempts"`
	MaxAttempts      int               `json:"max_attempts"`
	History          []historyStay     `json:"history"`
	HistoryFrom      *instant          `json:"history_from"`
	Instances        []historyInstance `json:"instances"`
	Truncated        bool              `json:"truncated"`
	GeneratedAt      instant           `json:"generated_at"`
}

// historyStay is the time that a task was in a status; one without an end lasts until the answer's instant.
type historyStay struct {
	Status          jobmon.TaskStatus `json:"status"`
	StatusName      string            `json:"status_name"`
	From            instant           `json:"from"`
	Until           *instant          `json:"until"`
	DurationSeconds float64           `json:"duration_seconds"`
	Attempt         *int64            `json:"attempt"`
}

// historyInstance is an attempt. What was reported is passed on as it was: clusters have units of their own.
type historyInstance struct {
	Attempt            int64                 `json:"attempt"`
	ID                 int64                 `json:"id"`
	WorkflowRunID      int64                 `json:"workflow_run_id"`
	Status             jobmon.InstanceStatus `json:"status"`
	StatusName         string                `json:"status_name"`
	StatusAt           instant               `json:"status_at"`
	SubmittedAt        *instant              `json:"submitted_at"`
	Nodename           *string               `json:"nodename"`
	DistributorID      *string               `json:"distributor_id"`
	Cluster            *string               `json:"cluster"`
	Queue              *string               `json:"queue"`
	RequestedResources json.RawMessage       `json:"requested_resources"`
	MaxRSS             *string               `json:"max_rss"`
	Wallclock          *string               `json:"wallclock"`
	CPU                *string               `json:"cpu"`
	Errors             []historyError        `json:"errors"`
}

type historyError struct {
	At          instant `json:"at"`
	Description string  `json:"description"`
}

func (s *server) statusHistory(ctx context.Context, request historyRequest) (historyAnswer, error) {
	h, err := s.Timeline.History(ctx, request.TaskID)
	if err != nil {
		return historyAnswer{}, err
	}
	answer := historyAnswer{
		ID: h.Task.ID, Name: h.Task.Name, WorkflowID: h.Task.WorkflowID, TaskTemplateName: h.Template,
		Status: h.Task.Status, StatusName: h.Task.Status.Name(), Since: instant(h.Task.StatusAt),
		NumAttempts: h.Task.NumAttempts, MaxAttempts: h.Task.MaxAttempts,
		History: make([]historyStay, len(h.Stays)), HistoryFrom: known(h.RowsFrom),
		Instances: make([]historyInstance, len(h.Attempts)), Truncated: h.Truncated, GeneratedAt: instant(h.Now),
	}
	for i, stay := range h.Stays {
		answer.History[i] = stayOf(stay, h.Now)
	}
	for i, attempt := range h.Attempts {
		answer.Instances[i] = instanceOf(attempt)
	}
	return answer, nil
}

func stayOf(stay timeline.TaskStay, now int64) historyStay {
	s := historyStay{Status: stay.Status, StatusName: stay.Status.Name(), From: instant(stay.From)}
	end := max(now, stay.From) // the clock may have been set back
	if stay.Until != 0 {
		s.Until, end = (*instant)(&stay.Until), stay.Until
	}
	s.DurationSeconds = seconds(end - stay.From)
	if stay.Attempt != 0 {
		s.Attempt = &stay.Attempt
	}
	return s
}

func instanceOf(attempt timeline.Attempt) historyInstance {
	i := historyInstance{
		Attempt: attempt.Number, ID: attempt.ID, WorkflowRunID: attempt.RunID,
		Status: attempt.Status, StatusName: attempt.Status.Name(), StatusAt: instant(attempt.StatusAt),
		SubmittedAt: known(attempt.SubmittedAt), Nodename: attempt.Nodename, DistributorID: attempt.DistributorID,
		Cluster: attempt.Cluster, Queue: attempt.Queue, RequestedResources: resourcesOf(attempt.TaskAttempt),
		MaxRSS: attempt.MaxRSS, Wallclock: attempt.Wallclock, CPU: attempt.CPU,
		Errors: make([]historyError, len(attempt.Errors)),
	}
	for n, failure := range attempt.Errors {
		i.Errors[n] = historyError{instant(failure.At), failure.Description}
	}
	return i
}

// resourcesOf returns the resources that were asked for, nil when they are not told or are, by whatever
// accident, not JSON.
func resourcesOf(attempt store.TaskAttempt) json.RawMessage {
	if attempt.Requested == nil || !json.Valid([]byte(*attempt.Requested)) {
		return nil
	}
	return json.RawMessage(*attempt.Requested)
}
