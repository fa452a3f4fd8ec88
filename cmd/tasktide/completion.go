package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// completionScripts have a shell ask the program itself what may come next, so that they never go stale.
var completionScripts = map[string]string{
	"bash": `complete -o default -C 'tasktide complete' tasktide
`,
	"zsh": `autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
complete -o default -C 'tasktide complete' tasktide
`,
	"fish": `function __tasktide_complete
    set -lx COMP_LINE (commandline -cp)
    tasktide complete
end
complete -c tasktide -f -a '(__tasktide_complete)'
complete -c tasktide -F -n 'test (count (__tasktide_complete)) -eq 0'
`,
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help is shown under the command's --help.
func (completionCommand) Help() string {
	return `Prints a script that has the shell complete commands, flags and their values. tasktide must be on PATH.

Examples:

    tasktide completion bash > /etc/bash_completion.d/tasktide
    source <(tasktide completion zsh)
    tasktide completion fish > ~/.config/fish/completions/tasktide.fish`
}

// Run prints the script.
func (c completionCommand) Run(t *terminal) error {
	_, err := fmt.Fprint(t.out, completionScripts[c.Shell])
	return err
}

// completeCommand is what the shells ask. They tell the line in COMP_LINE, and where the cursor is in it, in bytes,
// in COMP_POINT.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"What bash adds; the line tells more."`
}

// Run prints one candidate in a line.
func (completeCommand) Run(t *terminal, app *kong.Kong) error {
	line := os.Getenv("COMP_LINE")
	if point, err := strconv.Atoi(os.Getenv("COMP_POINT")); err == nil && point >= 0 && point < len(line) {
		line = line[:point]
	}
	for _, candidate := range candidates(app.Model.Node, line) {
		if _, err := fmt.Fprintln(t.out, candidate); err != nil {
			return err
		}
	}
	return nil
}

// candidates returns what the last word of a command line may become.
func candidates(node *kong.Node, line string) []string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	last := ""
	if !strings.HasSuffix(line, " ") && len(words) > 1 {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	var valueOf *kong.Flag
	for _, word := range words[1:] {
		if valueOf != nil {
			valueOf = nil
			continue
		}
		valueOf = takesNextWord(node, word)
		for _, child := range node.Children {
			// What help explains is a command, as anywhere else.
			if child.Name == word && word != "help" {
				node = child
			}
		}
	}
	var all []string
	switch {
	case valueOf != nil:
		all = valueOf.EnumSlice()
	case strings.HasPrefix(last, "-") || len(node.Children) == 0 && len(node.Positional) == 0:
		all = flagNames(node)
	case len(node.Positional) > 0:
		all = node.Positional[0].EnumSlice()
	default:
		for _, child := range node.Children {
			if !child.Hidden {
				all = append(all, child.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(all, func(word string) bool { return word == "" || !strings.HasPrefix(word, last) })
}

// takesNextWord returns the flag that a word is, when its value is the word after it.
func takesNextWord(node *kong.Node, word string) *kong.Flag {
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if "--"+flag.Name == word && !flag.IsBool() {
				return flag
			}
		}
	}
	return nil
}

func flagNames(node *kong.Node) (names []string) {
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			names = append(names, "--"+flag.Name)
			if flag.Tag.Negatable != "" {
				names = append(names, "--no-"+flag.Name)
			}
		}
	}
	return names
}
