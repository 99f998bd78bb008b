package symbol

import "debug/elf"

// Limits on the numbers of entries that are read: of PT_DYNAMIC, and of the
// parts of a GNU hash table.
const (
	maxDynamic = 4096
	maxHash    = 1 << 20
)

// dynamic returns the values of PT_DYNAMIC's entries; of a tag that occurs
// twice, the first.
func (im *image) dynamic() map[elf.DynTag]uint64 {
	tags := map[elf.DynTag]uint64{}
	w := im.wordSize()
	for _, p := range im.Progs {
		if p.Type != elf.PT_DYNAMIC {
			continue
		}
		r := im.peek()
		for i := range min(p.Filesz/uint64(2*w), maxDynamic) {
			at := p.Off + i*uint64(2*w)
			tag, val := elf.DynTag(r.word(at, w)), r.word(at+uint64(w), w)
			if r.err != nil || tag == elf.DT_NULL {
				break
			}
			if _, ok := tags[tag]; !ok {
				tags[tag] = val
			}
		}
	}
	return tags
}

// dynamicTable finds the dynamic symbol table without section headers. Its
// length is nowhere in the file; it is the chain length of DT_HASH or one more
// than the last symbol of DT_GNU_HASH.
func (im *image) dynamicTable() (symbolTable, bool) {
	tags := im.dynamic()
	syms, _, ok1 := im.offset(tags[elf.DT_SYMTAB])
	strs, rest, ok2 := im.offset(tags[elf.DT_STRTAB])
	if !ok1 || !ok2 {
		return symbolTable{}, false
	}
	count := im.hashCount(tags)
	return symbolTable{
		off: syms, size: count * uint64(im.symbolSize()),
		names: strs, namesSize: min(tags[elf.DT_STRSZ], rest),
		dynamic: true,
	}, count > 0
}

// hashCount returns the number of dynamic symbols that the hash tables tell.
func (im *image) hashCount(tags map[elf.DynTag]uint64) uint64 {
	r := im.peek()
	if off, _, ok := im.offset(tags[elf.DT_HASH]); ok {
		if n := r.u32(off + 4); r.err == nil {
			return uint64(n)
		}
	}
	off, rest, ok := im.offset(tags[elf.DT_GNU_HASH])
	if !ok {
		return 0
	}
	return gnuHashCount(r, off, off+rest, uint64(im.wordSize()))
}

// gnuHashCount walks the GNU hash table at off, which ends before end: a
// header of four words, a Bloom filter of addresses, the first symbol of every
// bucket, and one hash per symbol whose lowest bit ends a bucket's chain.
func gnuHashCount(r *peek, off, end, word uint64) uint64 {
	buckets, first, bloom := uint64(r.u32(off)), uint64(r.u32(off+4)), uint64(r.u32(off+8))
	table := off + 16 + bloom*word
	if r.err != nil || table > end || buckets > min((end-table)/4, maxHash) {
		return 0
	}
	var last uint64
	for i := range buckets {
		last = max(last, uint64(r.u32(table+4*i)))
	}
	if last < first {
		return first
	}
	chain := table + 4*buckets
	from := chain + 4*(last-first)
	for at := from; at < min(end, from+4*maxHash) && r.err == nil; at += 4 {
		if r.u32(at)&1 != 0 && r.err == nil {
			return (at-chain)/4 + first + 1
		}
	}
	return 0
}
