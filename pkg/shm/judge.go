package shm

import (
	"cmp"
	"slices"
	"strings"
)

// A Listing is an inventory, judged.
type Listing struct {
	Time int64
	// Unused is what nobody seems to use, Pinned what takes memory although nothing
	// shows its name: open and not mapped, deleted, or marked for removal. Those that
	// take most come first.
	Unused, Pinned []Item
	// InUse sums up the rest by kind, Empty what takes no memory and is not listed.
	InUse map[Kind]Sum
	Empty uint64
	Seen  Seen
}

// A Sum is a number of pieces and what they take in bytes.
type Sum struct {
	Count, Bytes uint64
	Attached     uint64 // of segments
	Unknown      uint64 // of Count, those whose size is not known and not in Bytes
}

// An Item is one piece of shared memory. Of File and Segment the one that Kind says
// is set.
type Item struct {
	Kind    Kind
	File    *File
	Segment *Attachable
	Owner   string // name of the user, "" if it has none
}

// unknown is 1 if the item's size is not known.
func (i *Item) unknown() uint64 {
	if i.File != nil && i.File.Unknown {
		return 1
	}
	return 0
}

// Bytes is what the item takes of memory and swap.
func (i *Item) Bytes() uint64 {
	if i.Segment != nil {
		return i.Segment.Resident + i.Segment.Swapped
	}
	return i.File.Allocated
}

// Size is its length in bytes.
func (i *Item) Size() uint64 {
	if i.Segment != nil {
		return i.Segment.Size
	}
	return i.File.Size
}

// Holders are the processes that use it, by pid.
func (i *Item) Holders() []Holder {
	if i.Segment != nil {
		return i.Segment.Holders
	}
	return i.File.Holders
}

// UID is its owner's.
func (i *Item) UID() uint32 {
	if i.Segment != nil {
		return i.Segment.UID
	}
	return i.File.UID
}

// Mode is its permissions.
func (i *Item) Mode() uint32 {
	if i.Segment != nil {
		return i.Segment.Mode
	}
	return i.File.Mode
}

// Judge sorts what inv holds. The items point into it.
func Judge(inv *Inventory) *Listing {
	l := &Listing{Time: inv.Time, InUse: make(map[Kind]Sum), Seen: inv.Seen}
	for i := range inv.Segments {
		s := &inv.Segments[i]
		l.put(Item{Kind: SysV, Segment: s, Owner: inv.Users[s.UID]}, judgeSegment(s))
	}
	for i := range inv.Files {
		f := &inv.Files[i]
		l.put(Item{Kind: f.Kind, File: f, Owner: inv.Users[f.UID]}, judgeFile(f))
	}
	slices.SortFunc(l.Unused, compare)
	slices.SortFunc(l.Pinned, compare)
	return l
}

// A state is where an item belongs.
type state uint8

const (
	inUse state = iota
	unused
	pinned
	empty
)

func (l *Listing) put(it Item, s state) {
	switch s {
	case unused:
		l.Unused = append(l.Unused, it)
	case pinned:
		l.Pinned = append(l.Pinned, it)
	case empty:
		l.Empty++
	case inUse:
		sum := l.InUse[it.Kind]
		sum.Count++
		sum.Bytes += it.Bytes()
		if it.Segment != nil {
			sum.Attached += it.Segment.Attached
		}
		sum.Unknown += it.unknown()
		l.InUse[it.Kind] = sum
	}
}

// judgeSegment goes by the kernel's own count of attachments, which takes in
// processes that cannot be seen.
func judgeSegment(s *Attachable) state {
	switch {
	case s.Attached == 0:
		return unused
	case s.Removed:
		return pinned
	}
	return inUse
}

func judgeFile(f *File) state {
	mapped := slices.ContainsFunc(f.Holders, func(h Holder) bool { return h.Mappings > 0 })
	switch {
	case f.Kind == Posix && len(f.Holders) > 0, f.Kind == Memfd && mapped:
		return inUse
	case f.Allocated == 0 && !f.Unknown:
		return empty
	case f.Kind == Posix:
		return unused
	}
	return pinned
}

// Total sums up items.
func Total(items []Item) Sum {
	s := Sum{Count: uint64(len(items))}
	for i := range items {
		s.Bytes += items[i].Bytes()
		s.Unknown += items[i].unknown()
	}
	return s
}

// compare orders by what they take, then by what they are.
func compare(x, y Item) int {
	return cmp.Or(cmp.Compare(y.Bytes(), x.Bytes()), cmp.Compare(y.Size(), x.Size()), cmp.Compare(x.Kind, y.Kind),
		strings.Compare(x.name(), y.name()), cmp.Compare(x.number(), y.number()))
}

func (i *Item) name() string {
	if i.File != nil {
		return i.File.Path
	}
	return ""
}

func (i *Item) number() uint64 {
	if i.Segment != nil {
		return uint64(uint32(i.Segment.ID))
	}
	return i.File.Inode
}
