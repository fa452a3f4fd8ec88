package auth

import (
	"fmt"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Identity is who asks. The zero value is nobody in particular.
type Identity struct {
	User   string
	Groups []string
	// Scopes are what a token may be used for. There are none in a session.
	Scopes []Scope
	// Token is the id of the token, 0 in a session.
	Token int64
	// Malformed says that the session is valid and its user cannot be read.
	Malformed bool
	// Session is what the cookie of who is logged in holds. nil for nobody and for a token.
	Session Session
}

func (who Identity) anonymous() bool { return who.User == "" }

func (who Identity) isToken() bool { return len(who.Scopes) > 0 }

func (who Identity) may(scope Scope) bool {
	return slices.Contains(who.Scopes, scope) || slices.Contains(who.Scopes, ScopeAdmin)
}

// Action is what a request does. The zero value is allowed to nobody.
type Action int

// The actions.
const (
	Undecided Action = iota
	Greet            // tells nothing of any workflow
	Read             // tells of workflows
	Change           // changes the statuses of tasks, as a person does
	Drive            // registers and runs workflows, as a client of JobMon does
)

// Principals are some of those who ask.
type Principals struct {
	everyone, members bool
	groups, users     []string
}

// UnmarshalText reads a list, separated by commas, of everyone, members (all who have said who they are), owners
// (nobody else: they are always among those who may), group:NAME and user:NAME.
func (p *Principals) UnmarshalText(text []byte) error {
	*p = Principals{}
	for word := range strings.SplitSeq(string(text), ",") {
		word = strings.TrimSpace(word)
		group, isGroup := strings.CutPrefix(word, "group:")
		user, isUser := strings.CutPrefix(word, "user:")
		switch {
		case word == "everyone":
			p.everyone = true
		case word == "members":
			p.members = true
		case word == "owners", word == "":
		case isGroup && group != "":
			p.groups = append(p.groups, group)
		case isUser && user != "":
			p.users = append(p.users, user)
		default:
			return fmt.Errorf("%q is none of everyone, members, owners, group:NAME and user:NAME", word)
		}
	}
	return nil
}

// Everyone reports whether nobody has to say who it is to be among them.
func (p Principals) Everyone() bool { return p.everyone }

// Members reports whether it is enough to be known.
func (p Principals) Members() bool { return p.everyone || p.members }

func (p Principals) have(who Identity) bool {
	if p.everyone {
		return true
	}
	return !who.anonymous() && (p.members || slices.Contains(p.users, who.User) ||
		slices.ContainsFunc(who.Groups, func(group string) bool { return slices.Contains(p.groups, group) }))
}

// String writes the list as it is read.
func (p Principals) String() string {
	var words []string
	if p.everyone {
		words = append(words, "everyone")
	}
	if p.members {
		words = append(words, "members")
	}
	for _, group := range p.groups {
		words = append(words, "group:"+group)
	}
	for _, user := range p.users {
		words = append(words, "user:"+user)
	}
	if words == nil {
		return "owners"
	}
	return strings.Join(words, ",")
}

// Policy says who may see and who may change a workflow, besides its owners, who may do both: the users of its runs.
type Policy struct {
	Readers  Principals
	Changers Principals // may see it too
	Admins   Principals // may do everything to every workflow
}

// Decide is the one place that says whether somebody may do something. of is whose the workflow is that is named, nil
// when none is. An error says what is missing and whom to ask: CodeAnonymous when one has to say first who one is,
// CodeForbidden, and CodeNotFound for a workflow that one may not know of.
func (p Policy) Decide(who Identity, action Action, of *store.Ownership) error {
	switch {
	case action == Greet:
		return nil
	case who.Malformed:
		return jobmon.Errorf(jobmon.CodeForbidden, "%w", ErrMalformedUser)
	case who.anonymous() && (action != Read || !p.Readers.everyone):
		return jobmon.Errorf(jobmon.CodeAnonymous, "this is for those who are known here; log in, or send a token")
	}
	if err := p.checkScope(who, action); err != nil || of == nil {
		return err
	}
	admin := p.Admin(who)
	owner := !who.anonymous() && slices.Contains(of.Users, who.User)
	// A client registers a workflow before its first run says whose it is.
	unclaimed := action == Drive && len(of.Users) == 0 && !of.Imported
	change := admin || owner || p.Changers.have(who) || unclaimed
	switch {
	case change || action == Read && p.Readers.have(who):
		return nil
	case !p.Readers.have(who):
		return jobmon.Errorf(jobmon.CodeNotFound, "there is no workflow %d", of.WorkflowID)
	default:
		return jobmon.Errorf(jobmon.CodeForbidden, "workflow %d is not yours to change: %s", of.WorkflowID, p.ask(*of))
	}
}

func (p Policy) checkScope(who Identity, action Action) error {
	needed := ScopeRead
	if action != Read {
		needed = ScopeState
	}
	switch {
	case action == Undecided:
		return jobmon.Errorf(jobmon.CodeForbidden, "nobody may do this: no rule says who may")
	case who.isToken() && !who.may(needed):
		return jobmon.Errorf(jobmon.CodeForbidden, "this token lacks the scope %s; ask %s for one that has it", needed, p.operators())
	case action == Drive && !who.isToken():
		return jobmon.Errorf(jobmon.CodeForbidden, "this is for clients of JobMon, which need a token of the scope %s; ask %s for one",
			needed, p.operators())
	default:
		return nil
	}
}

// Admin reports whether somebody may do everything to every workflow, as far as the scopes of a token go.
func (p Policy) Admin(who Identity) bool {
	return slices.Contains(who.Scopes, ScopeAdmin) || p.Admins.have(who)
}

// Whatever reports whether somebody may do something to a workflow whosever it is, so that nobody has to look
// whose it is.
func (p Policy) Whatever(who Identity, action Action) bool {
	return p.Decide(who, action, somebodyElses) == nil
}

// somebodyElses is the workflow of nobody who asks.
var somebodyElses = &store.Ownership{Imported: true}

func (p Policy) ask(of store.Ownership) string {
	if len(of.Users) == 0 {
		return "ask " + p.operators()
	}
	const most = 5
	users := strings.Join(of.Users[:min(most, len(of.Users))], ", ")
	return "ask " + users + ", who ran it, or " + p.operators()
}

// operators says who can help.
func (p Policy) operators() string {
	if len(p.Admins.groups)+len(p.Admins.users) > 0 {
		return "an administrator (" + p.Admins.String() + ")"
	}
	return "whoever operates this server"
}
