package main

import (
	"fmt"
	"time"

	"tasktide/internal/store/testdb"
)

// reached is a line of the table of bars.
type reached struct{ what, on, bar, measured, verdict string }

// bound is what a number is to keep to.
type bound struct {
	limit   float64
	atLeast bool
	write   func(value float64) string
}

func atMost(limit float64, write func(float64) string) bound { return bound{limit, false, write} }

func atLeast(limit float64, write func(float64) string) bound { return bound{limit, true, write} }

func (b bound) String() string {
	if b.atLeast {
		return "≥ " + b.write(b.limit)
	}
	return "≤ " + b.write(b.limit)
}

// verdict says whether a number keeps to the bound, and by how much it does not.
func (b bound) verdict(value float64) string {
	switch {
	case b.atLeast && value < b.limit:
		return fmt.Sprintf("missed: %.0f %% of it", 100*value/b.limit)
	case !b.atLeast && value > b.limit:
		return fmt.Sprintf("missed: %.2f times it", value/b.limit)
	default:
		return "reached"
	}
}

func times(value float64) string { return threeDigits(value) + "×" }

func wholeTimes(value float64) string { return thousands(int64(value+0.5)) + "×" }

func inMilliseconds(value float64) string { return fmt.Sprintf("%.0f ms", value) }

func rowsPerSecond(value float64) string { return thousands(int64(value)) + " rows/s" }

func kilobytes(value float64) string { return fmt.Sprintf("%.1f kB", value/1000) }

func megabytes(value float64) string { return fmt.Sprintf("%.0f MB", value/1e6) }

// ratioBar adds the bar of a ratio of two timings, if both were taken.
func (p *readPage) ratioBar(all []reached, what, on string, numerator, denominator figure, b bound) []reached {
	over, under := p.times[numerator], p.times[denominator]
	if len(over) == 0 || len(under) == 0 {
		return all
	}
	r := over.over(under)
	return append(all, reached{what, on, b.String(), r.String(), b.verdict(r.middle)})
}

// timeBar adds the bar of a timing, if it was taken.
func (p *readPage) timeBar(all []reached, what, on string, f figure, limit time.Duration) []reached {
	took := p.times[f]
	if len(took) == 0 {
		return all
	}
	b := atMost(float64(limit.Milliseconds()), inMilliseconds)
	return append(all, reached{what, on, b.String(), took.String(), b.verdict(took.median().Seconds() * 1000)})
}

// bars lists what was to be reached, as far as it was measured.
func (p *readPage) bars() []reached {
	all := p.peerBars(nil)
	all = p.screenBars(all)
	const fewRows = "read before the roll-up, "
	for _, kind := range p.databases {
		all = p.timeBar(all, fewRows+viewM.String(), names[kind], figure{viewM.String(), names[kind] + cold}, time.Second)
	}
	for _, one := range p.rollUps {
		if one.size == viewM.size || one.size == viewLHour.size {
			b := atLeast(5000, rowsPerSecond)
			rate := one.perSecond()
			all = append(all, reached{"roll-up, " + one.size, names[one.database], b.String(), rowsPerSecond(rate), b.verdict(rate)})
		}
	}
	if p.rebuilt.size == viewLHour.size {
		for _, kind := range p.databases {
			all = p.timeBar(all, fmt.Sprintf("one hour of %s made again, %s rows", p.rebuilt.size, thousands(p.rebuilt.rows)), names[kind],
				figure{rebuildFigure, names[kind]}, 50*time.Millisecond)
		}
	}
	return p.sizeBars(p.questionBars(all))
}

func (p *readPage) peerBars(all []reached) []reached {
	const sqlite = testdb.SQLite
	ours := func(v view, kind testdb.Kind) figure { return figure{v.String(), names[kind]} }
	for _, peer := range []struct {
		view  view
		who   string
		bound bound
	}{
		{viewM, prdSQL, atLeast(1000, wholeTimes)},
		{viewM, duckMeans, atLeast(20, wholeTimes)},
		{viewM, duckBoth, atLeast(20, wholeTimes)},
		{viewLHour, duckMeans, atLeast(100, wholeTimes)},
		{viewLHour, duckBoth, atLeast(100, wholeTimes)},
	} {
		all = p.ratioBar(all, peer.view.String()+", "+peer.who+" ÷ ours", names[sqlite], figure{peer.view.String(), peer.who},
			ours(peer.view, sqlite), peer.bound)
	}
	for _, v := range []view{viewM, viewLHour} {
		for _, kind := range p.databases {
			if kind != sqlite {
				all = p.ratioBar(all, v.String()+", ÷ SQLite", names[kind], ours(v, kind), ours(v, sqlite), atMost(2, times))
			}
		}
	}
	return all
}

// screenBars are about what an answer's time should not depend on.
func (p *readPage) screenBars(all []reached) []reached {
	for _, pair := range screenPairs() {
		for _, kind := range p.databases {
			all = p.ratioBar(all, pair.String(), names[kind], figure{pair.String(), names[kind] + ", the month"},
				figure{pair.String(), names[kind] + ", the day"}, atMost(3, times))
		}
	}
	for _, kind := range p.databases {
		all = p.ratioBar(all, "1 h of 400 days, the last ÷ the first", names[kind], figure{distance, names[kind] + atTheEnd},
			figure{distance, names[kind] + atTheStart}, atMost(2, times))
	}
	rates := liveRates()
	for _, kind := range p.databases {
		f := liveFigure(rates[0])
		all = p.ratioBar(all, fmt.Sprintf("live 24 h ÷ closed, %d transitions/s", rates[0]), names[kind], figure{f, names[kind] + isLive},
			figure{f, names[kind] + isClosed}, atMost(1.5, times))
	}
	for _, kind := range p.databases {
		all = p.timeBar(all, fmt.Sprintf("live 24 h, %s transitions/s", thousands(int64(rates[1]))), names[kind],
			figure{liveFigure(rates[1]), names[kind] + isLive}, 100*time.Millisecond)
	}
	return all
}

// sizeBars are about bytes.
func (p *readPage) sizeBars(all []reached) []reached {
	for _, w := range p.weights {
		if w.view == viewM {
			b := atMost(map[string]float64{"peak": 30_000, "mean": 70_000}[w.stat], kilobytes)
			for _, as := range []struct {
				coding string
				length float64
			}{{"gzip", float64(w.gzip)}, {"zstd", float64(w.zstd)}} {
				what := fmt.Sprintf("%s, %s, with %s", w.view, w.stat, as.coding)
				all = append(all, reached{what, "–", b.String(), kilobytes(as.length), b.verdict(as.length)})
			}
		}
	}
	if p.resident.size != "" {
		b := atMost(300e6, megabytes)
		value := float64(p.resident.most) * 1024
		verdict := b.verdict(value)
		if p.resident.size != "X" {
			verdict += ", though of X"
		}
		what := "resident set of a server of " + p.resident.size + ", at most"
		all = append(all, reached{what, names[testdb.SQLite], b.String(), megabytes(value), verdict})
	}
	return all
}
