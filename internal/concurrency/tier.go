package concurrency

// Tier is one width of cells that are kept, and how many adjacent ones a block of them holds. Blocks and
// their cells lie on multiples of their widths since the Unix epoch.
type Tier struct {
	Width int64 // of a cell, in microseconds
	Cells int
}

// Tiers returns the tiers from the finest to the coarsest. Each cell of a coarser one is made of whole
// cells of one block of the next finer one. A block is as long as keeps small what has to be written
// again when a minute in it changes, and few what a window has to read.
func Tiers() []Tier { return tiers }

const minute = 60_000_000

var tiers = []Tier{
	{minute, 60},
	{10 * minute, 72},
	{30 * minute, 48},
	{60 * minute, 48},
	{24 * 60 * minute, 32},
}

// TierOf returns the tier with cells of a width, and false when there is none. A width of 0 stands for the
// sum of everything that was removed: a block of one cell of which only Delta means anything.
func TierOf(width int64) (tier Tier, ok bool) {
	if width == 0 {
		return Tier{Width: 1, Cells: 1}, true
	}
	for _, tier := range tiers {
		if tier.Width == width {
			return tier, true
		}
	}
	return Tier{}, false
}

// BlockLength returns how long a block is, in microseconds.
func (t Tier) BlockLength() int64 { return t.Width * int64(t.Cells) }

// BlockStart returns the first instant of the block that contains an instant.
func (t Tier) BlockStart(at int64) int64 { return floor(at, t.BlockLength()) }

// Cell returns which cell of its block contains an instant.
func (t Tier) Cell(at int64) int { return int((at - t.BlockStart(at)) / t.Width) }
