// Package oidc asks an OpenID Connect provider who somebody is, by the authorization code flow with PKCE.
package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
)

// patience is how long a provider may take for all that a step of a login asks of it.
const patience = 10 * time.Second

// Config says which provider it is, and who we are there. All of it is required.
type Config struct {
	Issuer       string // a URL, to the character as the provider writes it
	ClientID     string
	ClientSecret string
	RedirectURL  string // where the provider sends a browser back to
	Scopes       []string
}

// Provider is an OpenID Connect provider. Each step of a login asks it what it says of itself: logins are rare, and so
// one that is down is known to be before a browser is sent there.
type Provider struct {
	config Config
	client *http.Client
}

// New returns a provider, of which nothing is asked yet.
func New(config Config) *Provider {
	return &Provider{config: config, client: &http.Client{Timeout: patience}}
}

// Check returns nil when the provider answers as what it is taken for. CodeUnavailable.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// LoginURL returns where a browser goes to log in. CodeUnavailable.
func (p *Provider) LoginURL(ctx context.Context, login auth.Login) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(found).AuthCodeURL(login.State, oidc.Nonce(login.Nonce), oauth2.S256ChallengeOption(login.Verifier)), nil
}

// User returns who has logged in, as [auth.UserOf] does, for the code that the provider gave to a login. CodeInvalid for
// a code that is not, or no longer, valid; CodeForbidden; CodeUnavailable; CodeInternal for an answer that must not be
// accepted. No error tells a token, the code or the secret.
func (p *Provider) User(ctx context.Context, login auth.Login, code string) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), patience)
	defer cancel()
	found, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(login.Verifier))
	if err != nil {
		return nil, failure("the provider gives no token for the code", err)
	}
	verified, err := p.verify(ctx, found, tokens, login.Nonce)
	if err != nil {
		return nil, failure("the ID token is not valid", err)
	}
	claims := map[string]any{}
	if found.UserInfoEndpoint() != "" {
		if err := userInfo(ctx, found, tokens, verified.Subject, &claims); err != nil {
			return nil, failure("the provider does not tell of its user", err)
		}
	}
	if err := verified.Claims(&claims); err != nil {
		return nil, failure("the ID token cannot be read", err)
	}
	claims["aud"] = p.config.ClientID // it may be one of several
	return auth.UserOf(claims)
}

// userInfo reads what many providers tell nowhere else: the e-mail address and the groups.
func userInfo(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, subject string, claims *map[string]any) error {
	told, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	switch {
	case err != nil:
		return err
	case told.Subject != subject:
		return errors.New("it is another user than the ID token's")
	default:
		return told.Claims(claims)
	}
}

func (p *Provider) verify(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, nonce string) (*oidc.IDToken, error) {
	raw, _ := tokens.Extra("id_token").(string)
	verified, err := found.Verifier(&oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	switch {
	case err != nil:
		return nil, err
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(nonce)) == 0:
		return nil, errors.New("its nonce is not the one of this login")
	case verified.AccessTokenHash != "":
		return verified, verified.VerifyAccessToken(tokens.AccessToken)
	default:
		return verified, nil
	}
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.config.RedirectURL, Scopes: p.config.Scopes,
	}
}

// discover returns the provider as it describes itself. Whatever is wrong with that, nobody can log in now.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err == nil && (found.Endpoint().AuthURL == "" || found.Endpoint().TokenURL == "") {
		err = errors.New("it names no authorization_endpoint or no token_endpoint")
	}
	if err != nil {
		return nil, jobmon.Errorf(jobmon.CodeUnavailable, "the identity provider does not answer as one: %w", brief(err))
	}
	return found, nil
}

// failure words what a provider has answered without what it may repeat of a token, a code or a secret.
func failure(what string, err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch {
		case refused.ErrorCode == "invalid_grant":
			return jobmon.Errorf(jobmon.CodeInvalid, "%s: it is used up, or too old; log in again", what)
		case refused.Response.StatusCode >= http.StatusInternalServerError:
			return jobmon.Errorf(jobmon.CodeUnavailable, "%s: status %s", what, refused.Response.Status)
		default:
			return jobmon.Errorf(jobmon.CodeInternal, "%s: %q, status %s", what, refused.ErrorCode, refused.Response.Status)
		}
	}
	if lost, ok := errors.AsType[*url.Error](err); ok {
		return jobmon.Errorf(jobmon.CodeUnavailable, "%s: %w", what, lost)
	}
	return jobmon.Errorf(jobmon.CodeInternal, "%s: %w", what, brief(err))
}

// brief leaves out the page that was answered with: all of it after a status, and most of it elsewhere.
func brief(err error) error {
	const most = 200
	text := err.Error()
	if text != "" && '0' <= text[0] && text[0] <= '9' {
		text, _, _ = strings.Cut(text, ":")
	}
	text, _, _ = strings.Cut(text, "\n")
	return errors.New(text[:min(most, len(text))])
}
