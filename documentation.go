// Package tasktide holds the repository's documentation, so that the binary can serve it.
package tasktide

import "embed"

// Documentation is README.md and the folder docs: Markdown files, and the images that they show.
//
//go:embed README.md docs
var Documentation embed.FS
