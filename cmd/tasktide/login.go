package main

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	"tasktide/internal/api"
	"tasktide/internal/auth/oidc"
	"tasktide/internal/jobmon"
)

// oidcFlags say at which OpenID Connect provider people log in. The zero value leaves that to JobMon.
type oidcFlags struct {
	OIDCIssuer           string   `env:"TASKTIDE_OIDC_ISSUER" placeholder:"URL" help:"The OpenID Connect provider at which people log in, as it writes itself. Without one they log in at JobMon."`
	OIDCClientID         string   `env:"TASKTIDE_OIDC_CLIENT_ID" placeholder:"ID" help:"What this server is called there."`
	OIDCClientSecret     secret   `env:"TASKTIDE_OIDC_CLIENT_SECRET" placeholder:"TEXT" help:"The secret it has there. Use the environment or a file."`
	OIDCClientSecretFile string   `env:"TASKTIDE_OIDC_CLIENT_SECRET_FILE" placeholder:"FILE" help:"The file that holds it instead."`
	OIDCRedirectURL      string   `env:"TASKTIDE_OIDC_REDIRECT_URL" placeholder:"URL" help:"Where the provider sends people back to: https://HOST, the base path, and then api/auth/oidc/auth."`
	OIDCScopes           []string `env:"TASKTIDE_OIDC_SCOPES" default:"openid,email,profile" placeholder:"SCOPE" help:"What it is asked to tell of people, openid among it; with commas (${default}). Many want groups for the groups."`
}

func (f oidcFlags) given() bool {
	return f.OIDCIssuer+f.OIDCClientID+string(f.OIDCClientSecret)+f.OIDCClientSecretFile+f.OIDCRedirectURL != ""
}

// login returns how people log in to a server below a path, nil when they do not.
func (f oidcFlags) login(base basePath) (*api.Login, error) {
	if !f.given() {
		return nil, nil //nolint:nilnil // no login here is one at JobMon
	}
	provider, err := f.provider()
	if err != nil {
		return nil, err
	}
	seen, err := url.Parse(f.OIDCRedirectURL)
	below, ends := "", false
	if err == nil {
		below, ends = strings.CutSuffix(seen.EscapedPath(), strings.TrimPrefix(api.CallbackPath, "/"))
	}
	if !ends || below != string(base) || seen.Host == "" || seen.Scheme != "https" && seen.Scheme != "http" ||
		seen.User != nil || seen.RawQuery != "" || seen.Fragment != "" {
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"TASKTIDE_OIDC_REDIRECT_URL must be where browsers see %s of this server, such as %s",
			api.CallbackPath, base.below("https://tasktide.example.org")+api.CallbackPath)
	}
	seen.Path = below
	return &api.Login{Provider: provider, Base: seen}, nil
}

func (f oidcFlags) provider() (*oidc.Provider, error) {
	key, err := readSecret(f.OIDCClientSecret, f.OIDCClientSecretFile, "TASKTIDE_OIDC_CLIENT_SECRET")
	if err != nil {
		return nil, err
	}
	for _, needed := range []struct{ name, value string }{
		{"ISSUER", f.OIDCIssuer}, {"CLIENT_ID", f.OIDCClientID}, {"CLIENT_SECRET", key}, {"REDIRECT_URL", f.OIDCRedirectURL},
	} {
		if needed.value == "" {
			return nil, jobmon.Errorf(jobmon.CodeInvalid, "a login at an OpenID Connect provider needs TASKTIDE_OIDC_%s too", needed.name)
		}
	}
	issuer, err := url.Parse(f.OIDCIssuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.User != nil || issuer.RawQuery != "" || issuer.Fragment != "":
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"TASKTIDE_OIDC_ISSUER must be an URL like https://login.example.org, with nothing behind its path")
	case issuer.Scheme != "https" && (issuer.Scheme != "http" || !isLoopback(issuer.Hostname())):
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"TASKTIDE_OIDC_ISSUER must begin with https://: whoever can change its answers on their way could log in as anybody")
	case !slices.Contains(f.OIDCScopes, "openid"):
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "TASKTIDE_OIDC_SCOPES must have openid among them, as in openid,email,profile")
	}
	return oidc.New(oidc.Config{
		Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, ClientSecret: key, RedirectURL: f.OIDCRedirectURL, Scopes: f.OIDCScopes,
	}), nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// checkProvider asks the provider what a login would ask it first.
func (c *configCheckCommand) checkProvider(ctx context.Context) error {
	if c.Auth != "session" || !c.oidcFlags.given() {
		return nil
	}
	provider, err := c.provider()
	if err != nil {
		return nil //nolint:nilerr // who checks the address tells it
	}
	return provider.Check(ctx)
}
