package api

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/go-chi/chi/v5/middleware"

	"tasktide/internal/jobmon"
)

// rated refuses callers who ask too often. An answer that is in the cache, or that the client has, counts as any other:
// whether it is, is known only when the database was asked.
func (s *server) rated(next http.Handler) http.Handler {
	if s.Rates == nil {
		return next
	}
	fromAddress := middleware.ClientIPFromRemoteAddr
	if len(s.TrustedProxies) > 0 {
		proxies := make([]string, len(s.TrustedProxies))
		for i, proxy := range s.TrustedProxies {
			proxies[i] = proxy.String()
		}
		fromAddress = middleware.ClientIPFromXFF(proxies...)
	}
	return fromAddress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := s.Rates.Wait(caller(r)); wait > 0 {
			seconds := int(math.Ceil(wait.Seconds()))
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
			s.fail(w, r, jobmon.Errorf(jobmon.CodeTooManyRequests,
				"this was asked for more often than %d times a second on average; try again in %d s", s.Rates.PerSecond(), seconds))
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// caller tells whoever asks from others: by the token, the user, or else the address, of which one network of IPv6 has
// too many.
func caller(r *http.Request) string {
	who := identityOf(r.Context())
	switch {
	case who.Token != 0:
		return fmt.Sprint("token ", who.Token)
	case who.User != "":
		return "user " + who.User
	}
	address := middleware.GetClientIPAddr(r.Context())
	if address.Is6() {
		address = netip.PrefixFrom(address, 64).Masked().Addr()
	}
	return "address " + address.String()
}
