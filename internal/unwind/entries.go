package unwind

import (
	"cmp"
	"slices"
)

// An entry is the FDE of one function: [begin, end), and where in the section
// its instructions are.
type entry struct {
	begin, end uint64
	code, stop uint32 // offsets in the section
	common     int32  // index of its CIE
}

// A common is a CIE.
type common struct {
	codeAlign uint64
	dataAlign int64
	enc       byte
	sized     bool // its entries say how much augmentation data they have
	signal    bool
	bad       bool
	initial   state
}

// A section is the content of .eh_frame. Its own reader takes the place of a
// library's: it holds 32 bytes an entry instead of a few hundred, ends at the
// zero terminator, and one CIE that it does not understand (newer augmentation
// letters, such as arm64's B and G) costs that CIE's functions, not the file's.
type section struct {
	data    []byte
	addr    uint64
	arch    *arch
	commons []common
	at      map[uint64]int32 // offset of a CIE to its index
	stats   *Stats
}

// entries returns the functions in the order of the section. An entry whose CIE
// does not lie before it, as the format demands, is malformed.
func (s *section) entries() []entry {
	list := make([]entry, 0, s.count())
	s.at = map[uint64]int32{}
	s.each(func(start int, body cursor) {
		here := uint64(body.p)
		id := uint64(body.u32())
		if id == 0 {
			s.addCommon(start, body)
			return
		}
		x, ok := s.at[here-id]
		if !ok || s.commons[x].bad {
			s.stats.Malformed++
			return
		}
		if e, ok := s.entry(x, body); ok {
			list = append(list, e)
		}
	})
	return list
}

// sortEntries sorts by address, and equal ones as in the section.
func sortEntries(list []entry) {
	byBegin := func(a, b entry) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.code, b.code)) }
	if !slices.IsSortedFunc(list, byBegin) {
		slices.SortFunc(list, byBegin)
	}
}

// each calls fn with every CIE and FDE up to the terminator, or up to one that
// the section does not hold whole. start is the offset of its length; the
// cursor is at its id, and the cursor's bytes end with it.
func (s *section) each(fn func(start int, body cursor)) {
	for c := (cursor{b: s.data}); c.more(); {
		start := c.p
		n := uint64(c.u32())
		if n == 0xffffffff {
			n = c.u64()
		}
		if c.bad || n < 4 || n > uint64(len(s.data)-c.p) {
			return
		}
		fn(start, cursor{b: s.data[:c.p+int(n)], p: c.p})
		c.p += int(n)
	}
}

// count returns the number of FDEs.
func (s *section) count() (n int) {
	s.each(func(_ int, body cursor) {
		if body.u32() != 0 {
			n++
		}
	})
	return n
}

// entry reads an FDE from behind its CIE pointer.
func (s *section) entry(x int32, c cursor) (entry, bool) {
	k := &s.commons[x]
	begin := c.pointer(k.enc, s.addr)
	end := begin + c.number(k.enc&encFormat)
	if k.sized {
		c.take(c.uleb())
	}
	if c.bad || end < begin {
		s.stats.Malformed++
		return entry{}, false
	}
	return entry{begin, end, uint32(c.p), uint32(len(c.b)), x}, true
}

// addCommon reads the CIE at offset at; the cursor is behind its id.
func (s *section) addCommon(at int, c cursor) {
	s.at[uint64(at)] = int32(len(s.commons))
	s.commons = append(s.commons, common{})
	k := &s.commons[len(s.commons)-1]
	k.bad = !s.readCommon(k, &c)
}

func (s *section) readCommon(k *common, c *cursor) bool {
	version := c.u8()
	letters := c.text()
	switch version {
	case 1, 3:
	case 4:
		c.take(2) // sizes of addresses and of segment selectors
	default:
		return false
	}
	k.codeAlign, k.dataAlign = c.uleb(), c.sleb()
	returns := uint64(0)
	if version == 1 {
		returns = uint64(c.u8())
	} else {
		returns = c.uleb()
	}
	if returns != s.arch.ra || !s.augmentation(k, letters, c) {
		return false
	}
	if c.bad {
		return false
	}
	k.initial = s.arch.initial
	m := machine{section: s, common: k, state: k.initial}
	if !m.run(*c) {
		return false
	}
	k.initial = m.state
	return true
}

// augmentation reads what letters announce. With z first, letters that are not
// known can be skipped; without, only no letters at all are understood.
func (s *section) augmentation(k *common, letters string, c *cursor) bool {
	if letters == "" {
		return true
	}
	if letters[0] != 'z' {
		return false
	}
	k.sized = true
	n := c.uleb()
	end := uint64(c.p) + n
	if c.bad || n > uint64(len(c.b)-c.p) {
		return false
	}
known:
	for _, l := range letters[1:] {
		switch l {
		case 'R':
			k.enc = c.u8()
		case 'P':
			c.number(c.u8() & encFormat)
		case 'L':
			c.u8()
		case 'S':
			k.signal = true
		case 'B', 'G':
		default:
			break known
		}
	}
	c.p = int(end)
	return true
}

// text reads a zero-terminated string.
func (c *cursor) text() string {
	start := c.p
	for c.u8() != 0 {
	}
	if c.bad {
		return ""
	}
	return string(c.b[start : c.p-1])
}
