package concurrency

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// Total stands for all series of a block together, where an index of a series is asked for.
const Total = -1

// Entry is the cell of one series over a span that goes without saying.
type Entry struct {
	Series int // its index, or [Total]
	Cell
}

// Block holds the cells of one kind over adjacent spans of equal width: for each series in which
// something happens there, and for all together. Its series are known by an id of the caller's, which
// means nothing to the engine.
//
// Cells stay encoded, so that to replace one costs that one.
type Block struct {
	width int64
	ids   []int64
	cells [][]byte // the entries of each cell, encoded; empty where nothing happens
}

// NewBlock returns a block of count cells, each width microseconds long, in which nothing happens.
func NewBlock(width int64, count int) *Block {
	return &Block{width: width, cells: make([][]byte, count)}
}

// Series returns the ids of the block's series by index.
func (b *Block) Series() []int64 { return b.ids }

// Index returns the index of a series, which is added when the block has none of that id.
func (b *Block) Index(id int64) int {
	if i := slices.Index(b.ids, id); i >= 0 {
		return i
	}
	b.ids = append(b.ids, id)
	return len(b.ids) - 1
}

// Rename gives each series the id that id makes of its own. No two become the same.
func (b *Block) Rename(id func(id int64) int64) {
	for i := range b.ids {
		b.ids[i] = id(b.ids[i])
	}
}

// Put replaces cell i by the given entries, each series at most once. Cells of zeros are left out.
func (b *Block) Put(i int, entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return a.Series - b.Series })
	var encoded []byte
	last := Total - 1
	for _, e := range entries {
		if e.quiet() {
			continue
		}
		encoded = binary.AppendUvarint(encoded, uint64(e.Series-last-1)) //nolint:gosec // they ascend
		last = e.Series
		encoded = appendCell(encoded, e.Cell, b.width)
	}
	b.cells[i] = encoded
}

// Append appends the entries of cell i to entries: first that of all series together, then each series
// by ascending index. A series without an entry has a cell of zeros. It returns an error when the block
// is damaged in a way that [DecodeBlock] could not see.
func (b *Block) Append(entries []Entry, i int) ([]Entry, error) {
	data := b.cells[i]
	last := Total - 1
	for len(data) > 0 {
		gap, n := binary.Uvarint(data)
		if n <= 0 || gap > uint64(len(b.ids)) || last+1+int(gap) >= len(b.ids) { //nolint:gosec // no more than ids
			return entries, errDamaged
		}
		last += 1 + int(gap) //nolint:gosec // as above
		e := Entry{Series: last, Cell: Cell{Length: b.width}}
		if data = e.parse(data[n:]); data == nil {
			return entries, errDamaged
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Sum makes cell i what cells from to to-1 of a block of finer cells are together. It returns an error,
// and changes nothing, when the finer block is damaged.
func (b *Block) Sum(i int, finer *Block, from, to int) error {
	sums := make([]Cell, len(finer.ids)+1) // that of all together first
	var entries []Entry
	for k := from; k < to; k++ {
		var err error
		if entries, err = finer.Append(entries[:0], k); err != nil {
			return err
		}
		before := int64(k-from) * finer.width
		for _, e := range entries {
			sum := &sums[e.Series+1]
			*sum = sum.until(before).Then(e.Cell)
		}
	}
	entries = entries[:0]
	for series, sum := range sums {
		if sum.Length == 0 {
			continue
		}
		e := Entry{Total, sum.until(int64(to-from) * finer.width)}
		if series > 0 {
			e.Series = b.Index(finer.ids[series-1])
		}
		entries = append(entries, e)
	}
	b.Put(i, entries)
	return nil
}

// until returns the cell continued without events until it is length long.
func (c Cell) until(length int64) Cell {
	if length == c.Length {
		return c
	}
	return c.Then(Cell{Length: length - c.Length})
}

// A cell is a byte that says which fields follow, and those: each as far as it differs from what a
// single task that enters or leaves would make of it, so that the many cells of one event are short.
const (
	hasOpen = 1 << iota
	hasDelta
	hasPeak
	hasPeakAt
	hasArea
	hasEntered
	allFields = 1<<iota - 1
)

func (c Cell) usualPeak() int64    { return max(c.Delta, 0) }
func (c Cell) usualArea() int64    { return c.Delta * (c.Length - c.PeakAt) }
func (c Cell) usualEntered() int64 { return max(c.Delta, 0) }

func appendCell(data []byte, c Cell, width int64) []byte {
	if c.Length != width {
		panic(fmt.Sprintf("a cell of %d microseconds in a block of cells of %d", c.Length, width))
	}
	at := len(data)
	data = append(data, 0)
	for bit, value := range [...]int64{
		c.Open, c.Delta, c.Peak - c.usualPeak(), c.PeakAt, c.Area - c.usualArea(), c.Entered - c.usualEntered(),
	} {
		if value != 0 {
			data[at] |= 1 << bit
			data = binary.AppendVarint(data, value)
		}
	}
	return data
}

// parse reads what appendCell wrote into a cell that has its length, and returns the rest. It returns
// nil when the data are damaged.
func (c *Cell) parse(data []byte) []byte {
	if len(data) == 0 || data[0] > allFields {
		return nil
	}
	fields, data := data[0], data[1:]
	var values [6]int64
	for bit := range values {
		if fields&(1<<bit) == 0 {
			continue
		}
		value, n := binary.Varint(data)
		if n <= 0 {
			return nil
		}
		values[bit], data = value, data[n:]
	}
	if values[3] < 0 || values[3] >= c.Length {
		return nil
	}
	c.Open, c.Delta, c.PeakAt = values[0], values[1], values[3]
	c.Peak = c.usualPeak() + values[2]
	c.Area = c.usualArea() + values[4]
	c.Entered = c.usualEntered() + values[5]
	if data == nil {
		data = []byte{}
	}
	return data
}

// The format of a block: this version, the width and number of cells, the ids of the series, then for
// each cell in which something happens how many cells were skipped, the length of its entries and these;
// at the end a checksum of all of it, so that damage is never taken for numbers. Numbers are varints.
const blockVersion = 1

var (
	checksums  = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("the block is damaged")
)

const checksumLength = 4

// Encode returns the block as bytes.
func (b *Block) Encode() []byte {
	length := 64 + 9*len(b.ids)
	for _, cell := range b.cells {
		length += 4 + len(cell)
	}
	data := append(make([]byte, 0, length), blockVersion)
	data = binary.AppendUvarint(data, uint64(b.width)) //nolint:gosec // widths are positive
	data = binary.AppendUvarint(data, uint64(len(b.cells)))
	data = binary.AppendUvarint(data, uint64(len(b.ids)))
	for _, id := range b.ids {
		data = binary.AppendVarint(data, id)
	}
	skipped := uint64(0)
	for _, cell := range b.cells {
		if len(cell) == 0 {
			skipped++
			continue
		}
		data = binary.AppendUvarint(data, skipped)
		data = binary.AppendUvarint(data, uint64(len(cell)))
		data = append(data, cell...)
		skipped = 0
	}
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, checksums))
}

// DecodeBlock reads what [Block.Encode] wrote, of count cells that are width microseconds long. It
// returns an error when the data are damaged, of a version that it does not know, or of another shape.
// The block refers to data.
func DecodeBlock(data []byte, width int64, count int) (*Block, error) {
	if len(data) < checksumLength+1 {
		return nil, errDamaged
	}
	body, sum := data[:len(data)-checksumLength], data[len(data)-checksumLength:]
	if crc32.Checksum(body, checksums) != binary.BigEndian.Uint32(sum) {
		return nil, errDamaged
	}
	if body[0] != blockVersion {
		return nil, fmt.Errorf("the block has version %d, and this program knows %d", body[0], blockVersion)
	}
	r := reader{body[1:], false}
	if r.number() != uint64(width) || r.number() != uint64(count) { //nolint:gosec // both are positive
		return nil, errDamaged
	}
	series := r.number()
	if series > uint64(len(r.data)) { // each takes a byte at least
		return nil, errDamaged
	}
	b := &Block{width: width, ids: make([]int64, series), cells: make([][]byte, count)}
	for i := range b.ids {
		b.ids[i] = r.signed()
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(b.ids))); len(distinct) < len(b.ids) {
		return nil, errDamaged
	}
	for next := uint64(0); len(r.data) > 0 && !r.damaged; next++ {
		skip, length := r.number(), r.number()
		if skip >= uint64(count)-next || length > uint64(len(r.data)) { //nolint:gosec // as above
			return nil, errDamaged
		}
		next += skip
		b.cells[next], r.data = r.data[:length:length], r.data[length:]
	}
	if r.damaged {
		return nil, errDamaged
	}
	return b, nil
}

// reader reads numbers from data until they are damaged.
type reader struct {
	data    []byte
	damaged bool
}

func (r *reader) number() uint64 {
	value, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.data, r.damaged = nil, true
		return 0
	}
	r.data = r.data[n:]
	return value
}

func (r *reader) signed() int64 {
	value, n := binary.Varint(r.data)
	if n <= 0 {
		r.data, r.damaged = nil, true
		return 0
	}
	r.data = r.data[n:]
	return value
}
