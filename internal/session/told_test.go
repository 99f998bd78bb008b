package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// What is told of code is what was mapped last, less what was unmapped or covered.
func TestTold(t *testing.T) {
	code := func(space event.SpaceID, start, end, page uint64, name string) *event.Event {
		return &event.Event{Kind: event.NewCode, Space: space, Code: &event.Code{
			Range: interval.Range{Start: start, End: end}, Page: page, Name: name,
		}}
	}
	exec := &event.Event{Kind: event.Exec, Space: 1}
	libc := code(1, 0x10000, 0x20000, 4, "libc")
	prog := code(1, 0x40000, 0x50000, 0, "prog")
	const none = "nothing is known"
	for _, tt := range []struct {
		name   string
		events []*event.Event
		space  event.SpaceID
		want   string
	}{
		{"code of a space whose beginning was not seen", []*event.Event{libc}, 1, none},
		{"after exec", []*event.Event{exec, libc, prog}, 1, "10000-20000+4000 libc, 40000-50000+0 prog"},
		{"unmapped in part", []*event.Event{exec, libc, {Kind: event.Munmap, Space: 1, Args: [6]uint64{0x12000, 0x1000}}}, 1,
			"10000-12000+4000 libc, 13000-20000+7000 libc"},
		{"covered by what is no code", []*event.Event{exec, libc, {Kind: event.Mmap, Space: 1, Ret: 0x10000, Args: [6]uint64{0x10000, 0x10000}}}, 1, ""},
		{"covered by other code", []*event.Event{exec, libc, code(1, 0xf000, 0x11000, 1, "over")}, 1,
			"f000-11000+1000 over, 11000-20000+5000 libc"},
		{"moved away", []*event.Event{exec, libc, {Kind: event.Mremap, Space: 1, Ret: 0x90000, Args: [6]uint64{0x10000, 0x10000, 0x10000}}}, 1, ""},
		{"a call that failed", []*event.Event{exec, libc, {Kind: event.Munmap, Space: 1, Ret: -22, Args: [6]uint64{0x10001, 0x1000}}}, 1, "10000-20000+4000 libc"},
		{"a call that nobody saw", []*event.Event{exec, libc, {Kind: event.Other, Space: 1, Marks: event.Stale}}, 1, ""},
		{"of another space", []*event.Event{exec, libc, {Kind: event.Munmap, Space: 2, Args: [6]uint64{0x10000, 0x10000}}}, 1, "10000-20000+4000 libc"},
		{"of a child", []*event.Event{exec, libc, {Kind: event.Fork, Space: 2, Parent: 1}, prog}, 2, "10000-20000+4000 libc"},
		{"of the parent of a child", []*event.Event{exec, libc, {Kind: event.Fork, Space: 2, Parent: 1}, code(2, 0x10000, 0x11000, 0, "x")}, 1, "10000-20000+4000 libc"},
		{"of a child of vfork", []*event.Event{exec, libc, {Kind: event.Fork, Space: 1, Parent: 1}}, 1, "10000-20000+4000 libc"},
		{"of a child of nobody known", []*event.Event{{Kind: event.Fork, Space: 2, Parent: 1}, code(2, 0x10000, 0x11000, 0, "x")}, 2, none},
		{"records were lost", []*event.Event{exec, libc, {Kind: event.Mprotect, Space: 1, Lost: 1}}, 1, none},
		{"this one was not", []*event.Event{exec, libc, {Kind: event.NewCode, Space: 1, Lost: 1, Code: prog.Code}}, 1, none},
	} {
		s := &Session{page: 0x1000, spaces: make(map[event.SpaceID]*space)}
		for id := range event.SpaceID(2) {
			s.spaces[id+1] = &space{id: id + 1}
		}
		for _, ev := range tt.events {
			s.tell(ev)
		}
		got := none
		if x := s.spaces[tt.space].told; x != nil {
			var parts []string
			for e := range x.code.All() {
				parts = append(parts, fmt.Sprintf("%x-%x+%x %s", e.Start, e.End, e.Value.Offset+e.Start-e.Value.Start, e.Value.name))
			}
			got = strings.Join(parts, ", ")
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A reading is the beginning of what is told only where that is not known.
func TestToldBegins(t *testing.T) {
	regions := []event.Region{
		{Range: interval.Range{Start: 0x1000, End: 0x2000}, Prot: event.ProtRead},
		{Range: interval.Range{Start: 0x2000, End: 0x3000}, Prot: event.ProtRead | event.ProtExec, Path: "/a"},
	}
	sp := &space{}
	sp.begin(regions, 3)
	if n := sp.told.code.Len(); n != 1 || sp.told.lost != 3 {
		t.Errorf("%d pieces of code, %d lost; want 1, 3", n, sp.told.lost)
	}
	before := sp.told
	if sp.begin(nil, 3); sp.told != before {
		t.Error("a second reading changed what is told")
	}
}
