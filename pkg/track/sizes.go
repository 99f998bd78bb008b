package track

import "github.com/mmtrace/mmtrace/pkg/event"

// maxSizes bounds the lengths that are remembered.
const maxSizes = 1 << 16

// sizeKey names what a call of unknown length maps: a System V segment by its
// ID, which is not reused while numbers last, or an AIO ring by the number of
// its events. Neither ever has another length.
type sizeKey struct {
	kind event.Kind
	of   uint64
}

// sized returns ev with the length that an earlier call told of the same thing,
// if its own is not known: shmat and io_setup do not tell theirs, and the kernel
// side cannot look while others hold the target's lock.
func (t *Tracker) sized(ev *event.Event) *event.Event {
	if ev.Kind != event.Shmat && ev.Kind != event.IoSetup {
		return ev
	}
	key := sizeKey{ev.Kind, ev.Args[0]}
	if ev.Aux == 0 {
		if n := t.sizes[key]; n != 0 {
			c := *ev
			c.Aux = n
			return &c
		}
	} else if !ev.Failed() {
		t.remember(key, ev.Aux)
	}
	return ev
}

func (t *Tracker) remember(key sizeKey, n uint64) {
	if n > 0 && len(t.sizes) < maxSizes {
		t.sizes[key] = n
	}
}
