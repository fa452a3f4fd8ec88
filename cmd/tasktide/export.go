package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/renameio/v2"

	"tasktide/internal/chart"
	"tasktide/internal/client"
	"tasktide/internal/jobmon"
	"tasktide/internal/picture"
)

type exportCommand struct {
	sourceFlags
	countFlags
	outputFlags

	ID     int64  `arg:"" help:"Id of the workflow, as tasktide workflow list prints it."`
	PNG    string `name:"png" placeholder:"FILE" help:"Write the chart as a PNG; - is standard output."`
	SVG    string `name:"svg" placeholder:"FILE" help:"Write the chart as an SVG; - is standard output."`
	CSV    string `name:"csv" placeholder:"FILE" help:"Write the server's table of all templates, as comma-separated values; - is standard output."`
	Theme  string `enum:"light,dark" default:"light" placeholder:"THEME" help:"Colours of the picture: light or dark (${default})."`
	Width  int    `default:"${picture_width}" placeholder:"PIXELS" help:"Width of the picture's chart, ${picture_min_width} to ${picture_max_width} (${default}); a PNG has twice as many."`
	Height int    `default:"${picture_height}" placeholder:"PIXELS" help:"Height of the picture's chart, ${picture_min_height} to ${picture_max_height} (${default}); title and legend come on top."`
}

// pictureVars are what the help of the command refers to.
var pictureVars = map[string]string{
	"picture_width":     strconv.Itoa(picture.DefaultWidth),
	"picture_min_width": strconv.Itoa(picture.MinWidth), "picture_max_width": strconv.Itoa(picture.MaxWidth),
	"picture_height":     strconv.Itoa(picture.DefaultHeight),
	"picture_min_height": strconv.Itoa(picture.MinHeight), "picture_max_height": strconv.Itoa(picture.MaxHeight),
}

// Help is shown under the command's --help.
func (exportCommand) Help() string {
	return `Writes the chart that the web page exports, without a browser, and the server's table. Several files may be
written at once. A file that exists is replaced as a whole when the new one is complete, and otherwise stays as it is.

Without --granularity, the buckets of a picture are as narrow as its width allows, and those of a table are a minute wide.
A picture stacks the templates' means (--stat start or entered: these numbers), and its line is the exact peak of the
total; with --stat peak its area is the total's peak alone. What only the web page's export has are the suspects of a run
at work and the templates' limits in the legend. --json lists the files that were written.

Examples:

    tasktide export 17 --last all --png nightly.png --csv nightly.csv
    tasktide export 17 --last 24h --svg - --theme dark > today.svg
    tasktide export 17 --start 2022-05-13T03:00:00Z --end 2022-05-13T04:00:00Z --csv - --granularity 1s`
}

func (exportCommand) interrupted() string {
	return "a file that was not complete yet was not written, and what was there before it stays"
}

// exported is a file that was written.
type exported struct {
	File   string `json:"file"` // - is standard output
	Format string `json:"format"`
	Bytes  int64  `json:"bytes"`
}

// exportDocument is the result of the command.
type exportDocument struct {
	WorkflowID int64      `json:"workflow_id"`
	Files      []exported `json:"files"`
}

// Run writes the files.
func (c exportCommand) Run(ctx context.Context, t *terminal) (err error) {
	query, err := c.query()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	ctx, source, closeSource, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	if err := c.choose(ctx, source, c.ID, query); err != nil {
		return err
	}
	document := exportDocument{c.ID, []exported{}}
	write := func(format, file string, content func(io.Writer) error) error {
		if file == "" {
			return nil
		}
		count := &counter{}
		err := writeWhole(file, t.out, func(out io.Writer) error { return content(io.MultiWriter(out, count)) })
		if err != nil {
			return err
		}
		document.Files = append(document.Files, exported{file, format, count.n})
		return nil
	}
	if c.PNG+c.SVG != "" {
		drawn, options, err := c.drawing(ctx, source, query)
		if err != nil {
			return err
		}
		if err := write("png", c.PNG, func(out io.Writer) error { return picture.WritePNG(out, drawn, options) }); err != nil {
			return err
		}
		if err := write("svg", c.SVG, func(out io.Writer) error { return picture.WriteSVG(out, drawn, options) }); err != nil {
			return err
		}
	}
	if err := write("csv", c.CSV, func(out io.Writer) error { return source.Table(ctx, c.ID, query, out) }); err != nil {
		return err
	}
	return t.result(document, func() error {
		for _, file := range document.Files {
			name := file.File
			if name == "-" {
				name = "standard output"
			}
			t.sayf("Wrote %s (%d bytes).\n", name, file.Bytes)
		}
		return nil
	})
}

// check returns what is wrong with the flags of the files.
func (c exportCommand) check() error {
	toOut := 0
	for _, file := range []string{c.PNG, c.SVG, c.CSV} {
		if file == "-" {
			toOut++
		}
	}
	switch {
	case c.PNG+c.SVG+c.CSV == "":
		return jobmon.FieldErrorf("png", "nothing to write: give --png FILE, --svg FILE or --csv FILE")
	case toOut > 1 || toOut > 0 && c.JSON:
		return jobmon.FieldErrorf("png", "only one thing can be written to standard output; name a file for the others")
	case c.Width < picture.MinWidth || c.Width > picture.MaxWidth:
		return jobmon.FieldErrorf("width", "--width must be from %d to %d", picture.MinWidth, picture.MaxWidth)
	case c.Height < picture.MinHeight || c.Height > picture.MaxHeight:
		return jobmon.FieldErrorf("height", "--height must be from %d to %d", picture.MinHeight, picture.MaxHeight)
	default:
		return nil
	}
}

// drawing requests what a picture shows.
func (c exportCommand) drawing(ctx context.Context, source *client.Client, asked url.Values) (chart.Chart, picture.Options, error) {
	query := url.Values{}
	maps.Copy(query, asked)
	otherwise(query, "stat", "mean")
	if c.Granularity == "" {
		query.Set("granularity", "auto")
		otherwise(query, "max_points", strconv.Itoa(c.Width))
	}
	view, err := read(ctx, source, c.ID, query)
	if err != nil {
		return chart.Chart{}, picture.Options{}, err
	}
	theme := chart.Theme(c.Theme)
	return chart.New(view.answer, view.templates, theme),
		picture.Options{Title: view.workflow.Name, Theme: theme, Width: c.Width, Height: c.Height}, nil
}

// counter counts the bytes that are written to it.
type counter struct{ n int64 }

func (c *counter) Write(data []byte) (int, error) {
	c.n += int64(len(data))
	return len(data), nil
}

// writeWhole writes a file that is replaced as a whole, or standard output, which is "-". What is no regular file, such as
// /dev/stdout or a pipe, is written to as it is.
func writeWhole(file string, stdout io.Writer, content func(io.Writer) error) error {
	if file == "-" {
		return content(stdout)
	}
	explain := func(err error) error {
		return jobmon.Errorf(jobmon.CodeInvalid, "cannot write %s: %w", file, err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target // the link stays
	}
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return jobmon.Errorf(jobmon.CodeInvalid, "cannot write %s: it is a directory; name a file in it", file)
	case err == nil && !info.Mode().IsRegular():
		out, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			return explain(err)
		}
		return errors.Join(content(out), out.Close())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return explain(err)
	}
	pending, err := renameio.NewPendingFile(file, renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if err != nil {
		return explain(err)
	}
	defer func() { _ = pending.Cleanup() }() // nothing, when it has taken its place
	if err := content(pending); err != nil {
		return err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return explain(err)
	}
	return nil
}
