package upkeep_test

// tally counts what the children of a storm did, by who did it, and in the midst of what they were killed.
type tally struct {
	kills                                     int
	passes, changes, inVain, inPass, inChange map[string]int
}

func newTally() tally {
	by := func() map[string]int { return map[string]int{} }
	return tally{passes: by(), changes: by(), inVain: by(), inPass: by(), inChange: by()}
}

// metAll reports whether somebody was killed in the midst of the transaction of a roll-up, of a pass of retention and
// of a verification.
func (t tally) metAll() bool {
	return t.inChange[firstRollUp]+t.inChange[secondRollUp] > 0 && t.inPass[retention] > 0 && t.inPass[verification] > 0
}
