package timeline

import (
	"reflect"
	"testing"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
)

// Whatever a request says, it is told from one that does not say it: also what nobody has thought of yet.
func TestEveryFieldOfARequestIsInItsTag(t *testing.T) {
	differ[Request](t, func(request Request) (string, error) { return tagOf(request, store.WorkflowInfo{}, "v") })
}

func differ[T any](t *testing.T, tag func(T) (string, error)) {
	t.Helper()
	var zero T
	seen := map[string]string{}
	look := func(what string, value T) {
		got, err := tag(value)
		if err != nil {
			t.Fatal(err)
		}
		if other, known := seen[got]; known {
			t.Errorf("%s has the tag of %s", what, other)
		}
		seen[got] = what
	}
	look("nothing", zero)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		value := zero
		set(t, reflect.ValueOf(&value).Elem().FieldByIndex(field.Index))
		look(field.Name, value)
	}
}

// set sets a field to something that is not its zero value.
func set(t *testing.T, field reflect.Value) {
	t.Helper()
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Int, reflect.Int64:
		field.SetInt(7)
	case reflect.Uint32:
		field.SetUint(7)
	case reflect.String:
		field.SetString("seven")
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem())) // zero is something else than nothing
	case reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		set(t, field.Index(0))
	case reflect.Struct:
		set(t, field.Field(0))
	default:
		t.Fatalf("this test does not know how to set a %s", field.Kind())
	}
}

// A workflow of the same number in another database is another.
func TestTheWorkflowIsInTheTag(t *testing.T) {
	seen := map[string]bool{}
	for _, workflow := range []store.WorkflowInfo{
		{}, {Workflow: store.Workflow{Name: "a"}}, {Workflow: store.Workflow{CreatedAt: 1}}, {FirstAt: 1}, {ImportedAt: 1},
	} {
		tag, err := tagOf(Request{Statuses: concurrency.Active}, workflow, "v")
		if err != nil || seen[tag] {
			t.Errorf("%+v has the tag of another, %s, %v", workflow, tag, err)
		}
		seen[tag] = true
	}
}
