package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// groups are those that the help lists the commands in.
var groups = []kong.Group{
	{Key: "Serve", Title: "Serve"},
	{Key: "Look", Title: "Look at runs"},
	{Key: "Load", Title: "Load runs"},
	{Key: "Look after", Title: "Look after the database"},
	{Key: "Access", Title: "Access"},
	{Key: "Other", Title: "Other"},
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command, such as audit verify. All are listed where there is none."`
}

// Help is shown under the command's --help.
func (helpCommand) Help() string {
	return `Examples:

    tasktide help
    tasktide help audit verify`
}

// Run does nothing: asksForHelp turns the command into a --help of the other.
func (helpCommand) Run() error { return nil }

// asksForHelp returns the arguments with a --help for those that ask for help in another way: nothing at all, and
// help with a command.
func asksForHelp(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help" && !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") }):
		return append(slices.Clone(args[1:]), "--help")
	default:
		return args
	}
}

// printGroup prints the help of a group of commands that was called without one of them, and reports whether it was.
func printGroup(out io.Writer, args []string, err error) bool {
	failed, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return false
	}
	node := failed.Context.Model.Node
	for _, arg := range args {
		at := slices.IndexFunc(node.Children, func(child *kong.Node) bool { return child.Name == arg })
		if at < 0 {
			return false
		}
		node = node.Children[at]
	}
	if len(node.Children) == 0 {
		return false
	}
	failed.Context.Stdout = out
	return failed.Context.PrintUsage(false) == nil
}
