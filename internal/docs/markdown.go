package docs

import (
	"bytes"
	"fmt"
	"html/template"
	"image"
	_ "image/png" // the size of PNG images
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// document is a rendered Markdown file, as the template shows it.
type document struct {
	source   string // as docs/page.md
	URL      string
	Title    string
	Sections []section // of the second level
	Body     template.HTML
}

type section struct{ ID, Title string }

var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(ours{}, 0))),
)

// converter changes a parsed file into what the page shows.
type converter struct {
	files  fs.FS
	base   string
	source string
	text   []byte
	ids    map[string]bool
	result *document
}

// emptyHeader is a header cell that heads nothing, which a screen reader would announce all the same.
var emptyHeader = regexp.MustCompile(`<th( [^>]*)?></th>`)

func render(files fs.FS, base, source string, content []byte) (*document, error) {
	result := &document{source: source, URL: base + strings.TrimPrefix(root, "/") + pagePath(source)}
	c := converter{files, base, source, content, map[string]bool{}, result}
	tree := markdown.Parser().Parse(text.NewReader(content))
	if err := c.convert(tree); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, content, tree); err != nil {
		return nil, err
	}
	shown := emptyHeader.ReplaceAllString(body.String(), "<td$1></td>")
	result.Body = template.HTML(shown) //nolint:gosec // goldmark escapes what the repository's own files contain
	return result, nil
}

func (c *converter) convert(tree ast.Node) error {
	// Nodes are replaced after the walk, which would lose its way.
	var later []func()
	heading := ""
	err := ast.Walk(tree, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Heading:
			heading = c.heading(node)
		case *ast.Link:
			destination, served := c.resolve(string(node.Destination))
			if !served {
				later = append(later, func() { unlink(node) })
				break
			}
			node.Destination = []byte(destination)
		case *ast.Image:
			return ast.WalkContinue, c.image(node)
		case *tables.Table:
			later = append(later, func() { scroll(node, "Table: "+heading) })
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			later = append(later, func() { scroll(node, "Code: "+heading) })
		}
		return ast.WalkContinue, nil
	})
	for _, change := range later {
		change()
	}
	if err == nil && c.result.Title == "" {
		err = fmt.Errorf("it has no heading of the first level")
	}
	return err
}

// heading gives a heading the id that GitHub gives it, so that a link to it works here and there.
func (c *converter) heading(node *ast.Heading) string {
	title := c.plain(node)
	id := slug(title)
	for n := 1; c.ids[id]; n++ {
		id = slug(title) + "-" + strconv.Itoa(n)
	}
	c.ids[id] = true
	node.SetAttributeString("id", []byte(id))
	switch node.Level {
	case 1:
		c.result.Title = title
	case 2:
		c.result.Sections = append(c.result.Sections, section{id, title})
	}
	return title
}

// slug returns a heading's anchor by GitHub's rule: letters, digits, hyphens and underscores stay, spaces become
// hyphens, and everything else goes.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, title)
}

// plain returns the text of a node without its markup.
func (c *converter) plain(node ast.Node) string {
	var all strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if leaf, is := child.(*ast.Text); is {
			all.Write(leaf.Value(c.text))
			continue
		}
		all.WriteString(c.plain(child))
	}
	return all.String()
}

// resolve returns the URL for a link as the repository has it, and false if the server does not have its target.
func (c *converter) resolve(link string) (string, bool) {
	to, err := url.Parse(link)
	if err != nil {
		return "", false
	}
	if to.Host != "" || to.Scheme != "" || to.Path == "" {
		return link, true
	}
	target := path.Join(path.Dir(c.source), to.Path)
	if _, err := fs.ReadFile(c.files, target); err != nil {
		return "", false
	}
	served := strings.TrimPrefix(target, "docs/")
	if path.Ext(target) == ".md" {
		served = pagePath(target)
	}
	to.Path = c.base + strings.TrimPrefix(root, "/") + served
	return to.String(), true
}

// image makes room for an image before it is loaded.
func (c *converter) image(node *ast.Image) error {
	name := path.Join(path.Dir(c.source), string(node.Destination))
	content, err := fs.ReadFile(c.files, name)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	node.SetAttributeString("width", []byte(strconv.Itoa(size.Width)))
	node.SetAttributeString("height", []byte(strconv.Itoa(size.Height)))
	destination, _ := c.resolve(string(node.Destination))
	node.Destination = []byte(destination)
	return nil
}

// unlink leaves a link's text in its place.
func unlink(link *ast.Link) {
	parent := link.Parent()
	for child := link.FirstChild(); child != nil; child = link.FirstChild() {
		parent.InsertBefore(parent, link, child)
	}
	parent.RemoveChild(parent, link)
}

// scroll puts a block that may be wider than the page into a frame that scrolls, with the keyboard too.
func scroll(block ast.Node, label string) {
	frame := &frame{label: label}
	block.Parent().ReplaceChild(block.Parent(), block, frame)
	frame.AppendChild(frame, block)
}

// frame is a block that scrolls.
type frame struct {
	ast.BaseBlock
	label string
}

var frameKind = ast.NewNodeKind("Frame")

// Kind implements [ast.Node].
func (*frame) Kind() ast.NodeKind { return frameKind }

// Dump implements [ast.Node].
func (f *frame) Dump(source []byte, level int) { ast.DumpHelper(f, source, level, nil, nil) }

// ours renders the nodes that goldmark does not, and headings with a link to themselves.
type ours struct{}

// RegisterFuncs implements [renderer.NodeRenderer].
func (ours) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(frameKind, func(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if f, is := node.(*frame); is && entering {
			fmt.Fprintf(w, `<div class="frame" role="group" tabindex="0" aria-label="%s">`+"\n", template.HTMLEscapeString(f.label))
		} else {
			fmt.Fprint(w, "</div>\n")
		}
		return ast.WalkContinue, nil
	})
	register.Register(ast.KindHeading, func(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		heading, is := node.(*ast.Heading)
		id, has := node.AttributeString("id")
		if !is || !has {
			return ast.WalkStop, fmt.Errorf("a heading has no id")
		}
		if entering {
			fmt.Fprintf(w, `<h%d id="%s">`, heading.Level, id)
			return ast.WalkContinue, nil
		}
		if heading.Level > 1 {
			// For the mouse alone: the navigation has these links for everybody.
			fmt.Fprintf(w, `<a class="anchor" href="#%s" aria-hidden="true" tabindex="-1">#</a>`, id)
		}
		fmt.Fprintf(w, "</h%d>\n", heading.Level)
		return ast.WalkContinue, nil
	})
}
