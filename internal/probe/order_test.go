package probe

import (
	"errors"
	"testing"
)

// TestChoose checks which order is used on which kernel.
func TestChoose(t *testing.T) {
	const (
		noHook = "this kernel does not tell when a lock is taken"
		dear   = "on this kernel every page fault would pay for the exact order"
	)
	old, mute, now := features{lockHook: true}, features{perVMALocks: true}, features{true, true}
	for _, c := range []struct {
		name  string
		f     features
		want  Order
		order Order
		why   string
		err   error
	}{
		{"auto, Linux 6.4 and later", now, OrderAuto, OrderLock, "", nil},
		{"auto, before per-VMA locks", old, OrderAuto, OrderCalls, dear, nil},
		{"auto, no tracepoint", mute, OrderAuto, OrderCalls, noHook, nil},
		{"auto, neither", features{}, OrderAuto, OrderCalls, noHook, nil},
		{"lock, asked for", old, OrderLock, OrderLock, "", nil},
		{"lock, no tracepoint", mute, OrderLock, "", "", ErrNotSupported},
		{"calls, asked for", now, OrderCalls, OrderCalls, "as asked", nil},
		{"calls, no tracepoint", mute, OrderCalls, OrderCalls, "as asked", nil},
		{"no such order", now, "exit", "", "", ErrNotSupported},
	} {
		order, why, err := c.f.choose(c.want)
		if order != c.order || why != c.why || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %q, %v; want %q, %q, %v", c.name, order, why, err, c.order, c.why, c.err)
		}
	}
}
