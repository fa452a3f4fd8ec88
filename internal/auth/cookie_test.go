package auth_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/auth"
	"tasktide/internal/testfiles"
)

const secret = "test-secret-key-not-for-production"

// TestVectors holds cookies that JobMon's own libraries made.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile(testfiles.Shared(t, "jobmon-session-vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Name, Secret, Cookie, Expect string
			Now                          int64
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]error{
		"expired by 1s": auth.ErrExpired, "signed 1s in the future": auth.ErrFuture, "wrong secret": auth.ErrForged,
		"empty user": auth.ErrNoUser, "missing sid": auth.ErrMalformedUser,
		"tampered last signature char": auth.ErrForged, "payload swapped": auth.ErrForged,
	}
	if len(file.Vectors) != 10 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		if v.Name == "wrong secret" {
			v.Secret = secret
		}
		user, err := who(auth.NewCookies(v.Secret), v.Cookie, v.Now)
		if !errors.Is(err, want[v.Name]) {
			t.Errorf("%s: got %v, want %v", v.Name, err, want[v.Name])
		}
		if want[v.Name] == nil {
			if v.Expect != "user alice@example.org" {
				t.Errorf("%s: accepted, though the file says %q", v.Name, v.Expect)
			}
			if diff := cmp.Diff(auth.User{Name: "alice", FullName: user.FullName, Email: "alice@example.org", Groups: []string{"g1", "g2"}}, user); diff != "" {
				t.Errorf("%s: %s", v.Name, diff)
			}
		}
	}
}

func who(cookies *auth.Cookies, value string, now int64) (auth.User, error) {
	session, err := cookies.Verify(value, time.Unix(now, 0))
	if err != nil {
		return auth.User{}, err
	}
	return session.User()
}

// TestTheAlgorithmAsPublished writes it down once more: each accepts what the other has made.
func TestTheAlgorithmAsPublished(t *testing.T) {
	sign := func(payload string, at int64) string {
		key := sha1.Sum([]byte("itsdangerous.Signersigner" + secret))
		p := base64.StdEncoding.EncodeToString([]byte(payload))
		stamp := strings.TrimRight(base64.URLEncoding.EncodeToString(big.NewInt(at).Bytes()), "=")
		mac := hmac.New(sha1.New, key[:])
		fmt.Fprintf(mac, "%s.%s", p, stamp)
		return p + "." + stamp + "." + strings.TrimRight(base64.URLEncoding.EncodeToString(mac.Sum(nil)), "=")
	}
	cookies := auth.NewCookies(secret)
	for _, at := range []int64{0, 1, 255, 256, 1769000000, 1 << 32} {
		payload := `{"a":"é.","user":{"name":"\u00c4"}}`
		if _, err := cookies.Verify(sign(payload, at), time.Unix(at, 0)); err != nil {
			t.Errorf("signed at %d: %v", at, err)
		}
		ours, err := cookies.Sign(auth.Session{"a": json.RawMessage(`1`)}, time.Unix(at, 999))
		if theirs := sign(`{"a":1}`, at); err != nil || ours != theirs {
			t.Errorf("signed at %d: got %s (%v), want %s", at, ours, err, theirs)
		}
	}
	for payload, want := range map[string]error{
		`{"user": ` + complete + `}`: nil,
		`{}`:                         auth.ErrNoUser,
		`{"user": null}`:             auth.ErrNoUser,
		`null`:                       auth.ErrNoUser,
		`[]`:                         auth.ErrMalformed,
		`{`:                          auth.ErrMalformed,
		``:                           auth.ErrMalformed,
		`{"user": "ada"}`:            auth.ErrMalformedUser,
		`{"user": ` + strings.Replace(complete, "ada@x", "@x", 1) + `}`:      auth.ErrMalformedUser,
		`{"user": ` + strings.Replace(complete, `["g"]`, `"g"`, 1) + `}`:     auth.ErrMalformedUser,
		`{"user": ` + strings.Replace(complete, `"exp":1`, `"e":1`, 1) + `}`: auth.ErrMalformedUser,
	} {
		if _, err := who(cookies, sign(payload, 100), 100); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", payload, err, want)
		}
	}
	if _, err := who(cookies, sign(strings.Repeat(" ", 4000), 100), 100); !errors.Is(err, auth.ErrOversized) {
		t.Errorf("a cookie that is signed and too long: %v", err)
	}
}

const complete = `{"sub":"1","email":"ada@x","preferred_username":"ada","name":"Ada","updated_at":1,"given_name":"A",` +
	`"family_name":"L","groups":["g"],"nonce":"","at_hash":"","sid":"","aud":"","exp":1,"iat":1,"iss":""}`

func TestWhatIsSignedIsVerifiedAndWhatIsChangedIsNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cookies := auth.NewCookies(rapid.String().Draw(t, "secret"))
		session := auth.Session{}
		for name, value := range rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "session") {
			session[name], _ = json.Marshal(value)
		}
		at := rapid.Int64Range(0, 1<<40).Draw(t, "at")
		value, err := cookies.Sign(session, time.Unix(at, 0))
		if err != nil {
			t.Fatal(err)
		}
		if len(value) > 4096 {
			t.Skip("longer than any browser keeps")
		}
		age := rapid.Int64Range(0, 1209600).Draw(t, "age")
		got, err := cookies.Verify(value, time.Unix(at+age, 0))
		if err != nil || len(got) != len(session) {
			t.Fatalf("got %s, %v, want %s", got, err, session)
		}
		for name := range session {
			var was, is string
			if json.Unmarshal(session[name], &was) != nil || json.Unmarshal(got[name], &is) != nil || was != is {
				t.Fatalf("%q: got %s, want %s", name, got[name], session[name])
			}
		}
		changed := []byte(value)
		changed[rapid.IntRange(0, len(changed)-1).Draw(t, "place")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := cookies.Verify(string(changed), time.Unix(at+age, 0)); !errors.Is(err, auth.ErrForged) {
			t.Fatalf("changed from %s to %q: %v", value, changed, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	cookies := auth.NewCookies(secret)
	signed, err := cookies.Sign(auth.Session{"user": json.RawMessage(complete)}, time.Unix(100, 0))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", ".", "..", "a.b.c", signed, signed[1:], signed + "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if _, err := cookies.Verify(value, time.Unix(100, 0)); err == nil && value != signed {
			t.Errorf("%q is not ours", value)
		}
	})
}
