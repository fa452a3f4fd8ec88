package docs

import (
	"bytes"
	_ "embed"
	"html/template"
)

//go:embed layout.html
var layoutText string

var layout = template.Must(template.New("layout").Parse(layoutText))

// layOut returns a whole page: a document below the header and beside the navigation. Without a document it is the
// page for a path that does not exist.
func layOut(base string, all []*document, shown *document) ([]byte, error) {
	var body bytes.Buffer
	err := layout.Execute(&body, struct {
		Base  string
		All   []*document
		Shown *document
	}{base, all, shown})
	return body.Bytes(), err
}
