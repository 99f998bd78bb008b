package session

import (
	"testing"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// Changes wait for a reading that may lack them, what has no number behind those that
// wait, and the end of the space for any reading; what befalls the process does not.
func TestWhatAReadingConcerns(t *testing.T) {
	fresh := &reading{ev: &event.Event{From: 5}, before: probe.State{Seq: 6}}
	waiting := &reading{ev: &event.Event{From: 5}, before: probe.State{Seq: 6}, held: make([]event.Event, 1)}
	for _, tt := range []struct {
		name string
		r    *reading
		ev   event.Event
		want bool
	}{
		{"before it", fresh, event.Event{Kind: event.Mmap, Seq: 5}, false},
		{"may be in it", fresh, event.Event{Kind: event.Mmap, Seq: 6}, true},
		{"after it", fresh, event.Event{Kind: event.Munmap, Seq: 7}, true},
		{"before it, when others wait", waiting, event.Event{Kind: event.Mmap, Seq: 5}, false},
		{"no number", fresh, event.Event{Kind: event.Mprotect, After: 6}, false},
		{"no number, later", fresh, event.Event{Kind: event.Mprotect, After: 7}, true},
		{"no number, when others wait", waiting, event.Event{Kind: event.Mprotect, After: 6}, true},
		{"exit", fresh, event.Event{Kind: event.Exit}, false},
		{"exit, when others wait", waiting, event.Event{Kind: event.Exit}, false},
		{"end of the space", fresh, event.Event{Kind: event.End, After: 6}, true},
		{"no change", waiting, event.Event{Kind: event.StackDef}, false},
	} {
		if got := tt.r.concerns(&tt.ev); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}
