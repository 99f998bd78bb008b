package unwind

import "encoding/binary"

// A CodeRange is an executable mapping of an address space.
type CodeRange struct {
	Start, End uint64
	Bias       uint64 // what to subtract from an address to get one of the file
	Module     uint32 // index of its table, or NoModule
}

// NoModule stands for code without a table, which is walked by frame pointers.
const NoModule = 0xffffffff

// The form of a list of code (struct code_head and struct code_block in
// bpf/tables.h). Sizes are in bytes.
const (
	blockRanges = 64
	maxBlocks   = 64
	rangeSize   = 32
	blockSize   = blockRanges * rangeSize

	// MaxCode is how many mappings a list holds.
	MaxCode = blockRanges * maxBlocks
)

// EncodeCode returns a list of code as the kernel side wants it: a head, then
// blocks. The mappings are in the order of addresses; those beyond MaxCode are
// left out. changes says how far they are up to date. The kernel side keeps what
// it found in a list for as long as it meets the same version; 0 is none.
func EncodeCode(ranges []CodeRange, changes uint64, version uint32) [][]byte {
	ranges = ranges[:min(len(ranges), MaxCode)]
	le := binary.LittleEndian
	head := make([]byte, blockSize)
	le.PutUint64(head, changes)
	le.PutUint32(head[8:], uint32(len(ranges)))
	le.PutUint32(head[12:], version)
	out := [][]byte{head}
	for i, r := range ranges {
		if i%blockRanges == 0 {
			le.PutUint64(head[16+8*(i/blockRanges):], r.Start)
			out = append(out, make([]byte, blockSize))
		}
		b := out[len(out)-1][i%blockRanges*rangeSize:]
		le.PutUint64(b, r.Start)
		le.PutUint64(b[8:], r.End)
		le.PutUint64(b[16:], r.Bias)
		le.PutUint32(b[24:], r.Module)
	}
	return out
}
