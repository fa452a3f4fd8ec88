package concurrency

// Window is Count adjacent buckets of Bucket microseconds each. Bucket i is the half-open span
// [Start+i*Bucket, Start+(i+1)*Bucket). Bucket must be positive and Count not negative.
type Window struct {
	Start  int64
	Bucket int64
	Count  int
}

// Align returns the smallest window of whole buckets that covers the half-open span [start, end),
// with every bucket on a multiple of its width since the Unix epoch, before it too. An empty or
// reversed span has no bucket. Bucket must be positive.
func Align(start, end, bucket int64) Window {
	w := Window{Start: floor(start, bucket), Bucket: bucket}
	if end > start {
		w.Count = int((floor(end-1, bucket)-w.Start)/bucket) + 1
	}
	return w
}

// End returns the first instant after the window.
func (w Window) End() int64 { return w.BucketStart(w.Count) }

// BucketStart returns the first instant of bucket i.
func (w Window) BucketStart(i int) int64 { return w.Start + int64(i)*w.Bucket }

// floor returns the last multiple of width that is not after at.
func floor(at, width int64) int64 {
	past := at % width
	if past < 0 {
		past += width
	}
	return at - past
}
