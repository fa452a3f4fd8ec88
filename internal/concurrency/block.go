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
	index map[int64]int // of ids, made when it is asked for
	cells [][]byte      // the entries of each cell, encoded; empty where nothing happens
}

// NewBlock returns a block of count cells, each width microseconds long, in which nothing happens.
func NewBlock(width int64, count int) *Block {
	return &Block{width: width, cells: make([][]byte, count)}
}

// Series returns the ids of the block's series by index.
func (b *Block) Series() []int64 { return b.ids }

// Index returns the index of a series, which is added when the block has none of that id.
func (b *Block) Index(id int64) int {
	if b.index == nil {
		b.index = make(map[int64]int, len(b.ids)+1)
		for i, id := range b.ids {
			b.index[id] = i
		}
	}
	i, has := b.index[id]
	if !has {
		i = len(b.ids)
		b.ids = append(b.ids, id)
		b.index[id] = i
	}
	return i
}

// Rename gives each series the id that id makes of its own. No two become the same.
func (b *Block) Rename(id func(id int64) int64) {
	for i := range b.ids {
		b.ids[i] = id(b.ids[i])
	}
	b.index = nil
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
	data, at := b.cells[i], 0
	for last := Total - 1; at < len(data); {
		var gap uint64
		gap, at = number(data, at)
		if at < 0 || gap > uint64(len(b.ids)) || last+1+int(gap) >= len(b.ids) { //nolint:gosec // no more than ids
			return entries, errDamaged
		}
		last += 1 + int(gap) //nolint:gosec // as above
		n := len(entries)
		entries = slices.Grow(entries, 1)[:n+1]
		entries[n].Series = last
		if at = entries[n].parse(data, at, b.width); at < 0 {
			return entries[:n], errDamaged
		}
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

// A cell is two bytes that say which fields follow and how long they are, and those: each as far as it
// differs from what a single task that enters or leaves would make of it, so that the many cells of one event
// are short. Lengths are told ahead because to look for the end of each number is what a reading would spend
// most of its time with.
const (
	fieldBits = 3 // for the length of each field
	hasOpen   = 1 << (5 * fieldBits)
)

// fieldLengths are what the bits of a field mean, in bytes.
var fieldLengths = [1 << fieldBits]uint8{0, 1, 2, 3, 4, 5, 6, 8}

// fieldMasks leave of 8 bytes those of a field.
var fieldMasks = [1 << fieldBits]uint64{0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1, 1<<40 - 1, 1<<48 - 1, 1<<64 - 1}

// usual returns the peak, the area and the entries of a cell in which nothing happens but that delta tasks
// enter, or leave, at one instant.
func usual(delta, peakAt, length int64) (peak, area, entered int64) {
	return max(delta, 0), delta * (length - peakAt), max(delta, 0)
}

func appendCell(data []byte, c Cell, width int64) []byte {
	if c.Length != width {
		panic(fmt.Sprintf("a cell of %d microseconds in a block of cells of %d", c.Length, width))
	}
	at := len(data)
	data = append(data, 0, 0)
	header := uint16(0)
	peak, area, entered := usual(c.Delta, c.PeakAt, width)
	for i, value := range [...]int64{
		c.Delta, c.Peak - peak, c.PeakAt, c.Area - area, c.Entered - entered,
	} {
		folded := uint64(value<<1) ^ uint64(value>>63) //nolint:gosec // the sign becomes the lowest bit
		for code, mask := range fieldMasks {
			if folded <= mask {
				header |= uint16(code) << (fieldBits * i)
				data = append(data, binary.LittleEndian.AppendUint64(nil, folded)[:fieldLengths[code]]...)
				break
			}
		}
	}
	if c.Open != 0 {
		header |= hasOpen
		data = binary.AppendVarint(data, c.Open)
	}
	binary.LittleEndian.PutUint16(data[at:], header)
	return data
}

// parse reads what appendCell wrote, and returns where in the data it ends. It returns -1 when the data are
// damaged.
func (c *Cell) parse(data []byte, at int, length int64) int {
	if at+2 > len(data) {
		return -1
	}
	header := binary.LittleEndian.Uint16(data[at:])
	// In variables, since to read a field that was just written makes the processor wait.
	delta, at := field(data, at+2, header)
	morePeak, at := field(data, at, header>>fieldBits)
	peakAt, at := field(data, at, header>>(2*fieldBits))
	moreArea, at := field(data, at, header>>(3*fieldBits))
	moreEntered, at := field(data, at, header>>(4*fieldBits))
	if at > len(data) || peakAt < 0 || peakAt >= length {
		return -1
	}
	open := int64(0)
	if header&hasOpen != 0 {
		value, n := binary.Varint(data[at:])
		if n <= 0 {
			return -1
		}
		open = value
		at += n
	}
	peak, area, entered := usual(delta, peakAt, length)
	c.Length, c.Open, c.Delta = length, open, delta
	c.Peak, c.PeakAt = peak+morePeak, peakAt
	c.Area, c.Entered = area+moreArea, entered+moreEntered
	return at
}

// field reads a field whose code is in the lowest bits of header. Where it ends may be behind the data.
func field(data []byte, at int, header uint16) (value int64, end int) {
	code := header & (1<<fieldBits - 1)
	folded := word(data, at) & fieldMasks[code]
	return int64(folded>>1) ^ -int64(folded&1), at + int(fieldLengths[code])
}

// word returns the 8 bytes at a place, with zeros for those that are not there.
func word(data []byte, at int) uint64 {
	if at+8 <= len(data) {
		return binary.LittleEndian.Uint64(data[at:])
	}
	var bytes [8]byte
	if at < len(data) {
		copy(bytes[:], data[at:])
	}
	return binary.LittleEndian.Uint64(bytes[:])
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

// number reads a varint at a place, and returns where it ends: -1 when the data are damaged.
func number(data []byte, at int) (value uint64, end int) {
	if at < len(data) && data[at] < 0x80 {
		return uint64(data[at]), at + 1
	}
	value, n := binary.Uvarint(data[at:])
	if n <= 0 {
		return 0, -1
	}
	return value, at + n
}

// reader reads numbers from data until they are damaged.
type reader struct {
	data    []byte
	damaged bool
}

func (r *reader) number() uint64 {
	value, n := binary.Uvarint(r.data)
	r.skip(n)
	return value
}

func (r *reader) signed() int64 {
	value, n := binary.Varint(r.data)
	r.skip(n)
	return value
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.data, r.damaged = nil, true
		return
	}
	r.data = r.data[n:]
}
