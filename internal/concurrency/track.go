package concurrency

// track follows one step function through the buckets of a window. It is brought forward only when
// its level changes, so a sweep costs each change once and each bucket once, not each change times
// every series.
type track struct {
	Series
	level    int64 // with every change told so far
	seen     int64 // level that holds from since on
	since    int64
	bucket   int   // bucket that contains since
	next     int64 // first instant after that bucket
	touched  bool
	negative *Defect // first level below zero
}

func newTrack(w Window) track {
	numbers := make([]int64, 5*w.Count)
	column := func(i int) []int64 { return numbers[i*w.Count : (i+1)*w.Count : (i+1)*w.Count] }
	t := track{
		Series: Series{Start: column(0), Peak: column(1), PeakAt: column(2), Entered: column(3), Area: column(4)},
		since:  w.Start,
		next:   w.BucketStart(1),
	}
	for i := range t.PeakAt {
		t.PeakAt[i] = w.BucketStart(i)
	}
	return t
}

// settle makes level the one that is seen from at on.
func (t *track) settle(at, width int64) {
	if t.level == t.seen {
		return
	}
	t.extend(at, width)
	t.seen = t.level
	if at == t.next-width {
		t.Start[t.bucket], t.Peak[t.bucket] = t.seen, t.seen
	} else if t.seen > t.Peak[t.bucket] {
		t.Peak[t.bucket], t.PeakAt[t.bucket] = t.seen, at
	}
	if t.seen < 0 && t.negative == nil {
		t.negative = &Defect{At: at, Level: t.seen}
	}
}

// add counts a cell that begins at the instant at, by when all changes before it are seen.
func (t *track) add(at, width int64, c *Cell) {
	t.extend(at, width)
	before := t.seen
	if peak := before + c.Peak; at == t.next-width {
		t.Start[t.bucket], t.Peak[t.bucket], t.PeakAt[t.bucket] = before+c.Open, peak, at+c.PeakAt
	} else if peak > t.Peak[t.bucket] {
		t.Peak[t.bucket], t.PeakAt[t.bucket] = peak, at+c.PeakAt
	}
	t.Area[t.bucket] += before*c.Length + c.Area
	t.Entered[t.bucket] += c.Entered
	t.seen += c.Delta
	t.level = t.seen
	t.since = at + c.Length
	if t.negative == nil || t.negative.At == at { // what was carried is seen with what the cell opens with
		t.negative = nil
		if level := before + c.Open; level < 0 {
			t.negative = &Defect{At: at, Level: level}
		} else if t.seen < 0 {
			t.negative = &Defect{At: t.since - 1, Level: t.seen}
		}
	}
}

// extend holds the level that is seen until the instant to, and opens the bucket that contains to
// unless the window ends there.
func (t *track) extend(to, width int64) {
	for t.next <= to {
		t.Area[t.bucket] += t.seen * (t.next - t.since)
		t.since = t.next
		if t.bucket+1 == len(t.Area) {
			return
		}
		t.bucket++
		t.next += width
		t.Start[t.bucket], t.Peak[t.bucket] = t.seen, t.seen
	}
	t.Area[t.bucket] += t.seen * (to - t.since)
	t.since = to
}
