package jobmon

import (
	"slices"
	"strings"
)

// rule is one line of a state machine: a status's name, and the statuses that may follow it.
type rule[S ~byte] struct {
	name string
	next []S
}

// machine is a state machine in the order in which its statuses are listed to people.
type machine[S ~byte] struct {
	what  string
	order []S
	rules map[S]rule[S]
}

func (m machine[S]) may(from, to S) bool {
	return slices.Contains(m.rules[from].next, to)
}

func (m machine[S]) name(s S) string { return m.rules[s].name }

func (m machine[S]) parse(text string) (S, error) {
	for _, status := range m.order {
		if text == string(rune(status)) || strings.EqualFold(text, m.rules[status].name) {
			return status, nil
		}
	}
	return 0, Errorf(CodeInvalid, "%q is not a %s status; use one of %s", text, m.what, m.list())
}

func (m machine[S]) list() string {
	words := make([]string, 0, len(m.order))
	for _, status := range m.order {
		words = append(words, string(rune(status))+" ("+m.rules[status].name+")")
	}
	return strings.Join(words, ", ")
}

func letter[S ~byte](s S) string {
	if s == 0 {
		return ""
	}
	return string(rune(s))
}
