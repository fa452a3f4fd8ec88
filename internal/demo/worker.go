package demo

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
)

// logRunning says that an instance runs, as its worker does, and returns its task. The status is the one that holds
// now: a worker whose instance is no longer to run leaves it at that.
func (c *client) logRunning(ctx context.Context, instance int64) (task int64, status jobmon.InstanceStatus, err error) {
	var answer struct {
		Instance tuple `json:"task_instance"`
	}
	err = c.call(ctx, http.MethodPost, fmt.Sprintf("/task_instance/%d/log_running", instance), object{
		"nodename": "localhost", "process_group_id": strconv.FormatInt(instance, 10),
		"next_report_increment": instanceReportIncrement, "distributor_id": strconv.FormatInt(instance, 10),
	}, &answer)
	if err == nil {
		err = answer.Instance.scan(nil, &status, nil, &task)
	}
	return task, status, err
}

// logEnd says how an instance ended, and returns the status that it then has.
func (c *client) logEnd(
	ctx context.Context, instance int64, length time.Duration, fails bool,
) (jobmon.InstanceStatus, error) {
	request := object{
		"stdout": "/dev/null", "stderr": "/dev/null", "stdout_log": "", "stderr_log": "",
		"nodename": "localhost", "distributor_id": strconv.FormatInt(instance, 10),
		"maxrss": "0", "cpu": "0.0", "usage_str": "{}", "wallclock": strconv.FormatFloat(length.Seconds(), 'f', 2, 64),
	}
	route := "log_done"
	if fails {
		route = "log_error_worker_node"
		request["error_state"] = jobmon.InstanceError
		request["error_description"] = "Got exit_code: 1. Error message was: the demo lets 3 % of its attempts fail"
	}
	var answer struct{ Status jobmon.InstanceStatus }
	err := c.call(ctx, http.MethodPost, fmt.Sprintf("/task_instance/%d/%s", instance, route), request, &answer)
	return answer.Status, err
}
