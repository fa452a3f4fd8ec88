package api_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestDocumentIsValid(t *testing.T) {
	if err := loadDocument(t).Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestDocumentAndRoutesAreTheSame(t *testing.T) {
	f := newFixture(t)
	var documented, registered []string
	for path, item := range f.doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	walk(t, f.mux, func(method, pattern string) { registered = append(registered, method+" "+pattern) })
	slices.Sort(documented)
	slices.Sort(registered)
	if !slices.Equal(documented, registered) {
		t.Errorf("documented:\n%s\nregistered:\n%s", strings.Join(documented, "\n"), strings.Join(registered, "\n"))
	}
}

// TestQueryParametersAreTheDocumentedOnes asks every route of ours for a parameter that it does not
// have: the refusal lists those that it has. Then it asks for each documented one.
func TestQueryParametersAreTheDocumentedOnes(t *testing.T) {
	f := newFixture(t)
	b := f.bind("parameters", 1)
	for pattern, item := range f.doc.Paths.Map() {
		if isState(item) {
			continue
		}
		path := strings.NewReplacer("{workflow_id}", fmt.Sprint(b.workflow), "{task_id}", fmt.Sprint(b.tasks[0])).Replace(pattern)
		refusal := f.send("GET", path+"?nonsense=1", "").refused(400, "invalid")
		if refusal.Field == nil || *refusal.Field != "nonsense" {
			t.Errorf("%s: the field is %v", path, refusal.Field)
		}
		_, listed, _ := strings.Cut(refusal.Message, "; use ")
		accepted := strings.Split(listed, ", ")
		if listed == "" {
			accepted = nil
		}
		var documented []string
		for _, parameter := range item.Get.Parameters {
			if parameter.Value.In != openapi3.ParameterInQuery {
				continue
			}
			documented = append(documented, parameter.Value.Name)
			if parameter.Value.Name == "cursor" && pattern != "/api/v2/workflows" {
				continue // it belongs to a query, so that there is none to make up
			}
			query := url.Values{parameter.Value.Name: {example(parameter.Value.Name)}}
			switch parameter.Value.Name {
			case "start":
				query.Set("end", example("end"))
			case "end":
				query.Set("start", example("start"))
			case "top", "beside":
				if strings.HasSuffix(path, "/task_concurrency") {
					query.Set("format", "columns")
				}
			}
			if strings.HasSuffix(path, "/compare") {
				query.Set("with", fmt.Sprint(b.workflow))
			}
			f.send("GET", path+"?"+query.Encode(), "").ok()
		}
		slices.Sort(accepted)
		slices.Sort(documented)
		if !slices.Equal(accepted, documented) {
			t.Errorf("%s accepts %v, documents %v", path, accepted, documented)
		}
	}
}

func isState(item *openapi3.PathItem) bool {
	for _, operation := range item.Operations() {
		if slices.Contains([]string{"workflows", "server"}, operation.Tags[0]) {
			return false
		}
	}
	return true
}

func example(parameter string) string {
	return map[string]string{
		"task_id": "1", "previous_status": "G", "new_status": "queued", "order": "desc",
		"search": "x", "status": "R", "limit": "3", "cursor": "12", "time_range": "1h", "start": "2022-05-13T03:00:00Z",
		"end": "2022-05-13T04:00:00Z", "granularity": "minute", "stat": "peak", "task_template_name": "sleep",
		"zeros": "true", "format": "columns", "at": "2022-05-13T03:00:00Z", "max_points": "100", "top": "5", "offset_seconds": "60", "duration_seconds": "3600", "activity": "true", "split": "attempt", "beside": "ACTIVE", "groups": "true",
	}[parameter]
}
