package store

import "context"

// SubjectKind is a kind of thing that belongs to a workflow.
type SubjectKind int

// The kinds of a [Subject].
const (
	OfWorkflow SubjectKind = iota // the workflow itself
	OfRun
	OfArray
	OfTask
	OfInstance
)

// Subject is what a request names: things of one kind, by their ids.
type Subject struct {
	Kind SubjectKind
	IDs  []int64
}

// Ownership says whose a workflow is.
type Ownership struct {
	WorkflowID int64
	Users      []string // of its runs, each once, in their order; none before its first run
	Imported   bool     // the run was loaded from elsewhere: it is nobody's
}

// Tokens holds the tokens by which machines are known. What a token is made of is kept by nobody: a hash stands
// for it.
type Tokens interface {
	// AddToken stores a token and returns its id. ID of the argument is ignored. CodeConflict when there is one
	// with this hash.
	AddToken(ctx context.Context, token Token) (int64, error)
	// TokenByHash returns the token with a hash, expired or not. CodeNotFound.
	TokenByHash(ctx context.Context, hash string) (Token, error)
	// Tokens lists all tokens by ascending id, without their hashes.
	Tokens(ctx context.Context) ([]Token, error)
	// DeleteToken deletes a token. CodeNotFound.
	DeleteToken(ctx context.Context, id int64) error
}

// Token says what one who has a token may do, in whose name and how long.
type Token struct {
	ID        int64
	Name      string // for people
	User      string
	Scopes    string // joined by commas
	Hash      string
	CreatedAt int64
	ExpiresAt int64 // it is no longer valid from then on
}
