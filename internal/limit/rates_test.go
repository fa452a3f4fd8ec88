package limit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tasktide/internal/limit"
)

// granted returns how many requests a caller may make now, up to a million.
func granted(rates *limit.Rates, caller string) (n int) {
	for n < 1_000_000 && rates.Wait(caller) == 0 {
		n++
	}
	return n
}

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := limit.NewRates(20)
		pass := func(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // the clock is that of the test
		if n := granted(rates, "ada"); n != 200 {
			t.Errorf("%d at once", n)
		}
		if wait := rates.Wait("ada"); wait != 50*time.Millisecond {
			t.Errorf("the next is to wait for %s", wait)
		}
		if n := granted(rates, "bob"); n != 200 {
			t.Errorf("another: %d at once", n)
		}
		// What was refused is not counted, and what is granted is, whoever is forgotten meanwhile.
		total := 0
		for range 100 {
			pass(300 * time.Millisecond)
			total += granted(rates, "ada")
		}
		if total != 600 {
			t.Errorf("%d in 30 seconds", total)
		}
		pass(time.Hour)
		if n := granted(rates, "ada"); n != 200 {
			t.Errorf("%d at once an hour later", n)
		}
	})
}

func TestRatesOfManyCallersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := limit.NewRates(1)
		granted(rates, "ada")
		refused := 0
		for i := range 200_000 {
			if rates.Wait(fmt.Sprint("caller ", i)) > 0 {
				refused++
			}
		}
		// 9,999 have an allowance of their own, and all others share one of ten.
		if want := 200_000 - 9_999 - 10; refused != want {
			t.Errorf("%d were refused, want %d", refused, want)
		}
		if rates.Wait("ada") == 0 {
			t.Error("who had asked was forgotten")
		}
		if n := granted(rates, "caller 7"); n != 9 {
			t.Errorf("one who was there before has %d left", n)
		}
	})
}

func TestNoRates(t *testing.T) {
	if n := granted(limit.NewRates(0), "ada"); n != 1_000_000 {
		t.Errorf("%d at once", n)
	}
}
