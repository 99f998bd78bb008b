package session

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/pkg/event"
)

const (
	batchSize   = 512
	batchesHeld = 256
	// batchesKept bounds the empty ones that are kept: after a burst the memory of the
	// others goes back.
	batchesKept = 16
	// pollEvery bounds how long records lie in the ring when they are few.
	pollEvery = 20 * time.Millisecond
	// readsPerLook bounds how many records are read between two looks at the clock.
	readsPerLook = 64
	// clockEvery is how often a quiet ring says what time it is, in ns.
	clockEvery event.Time = 100e6
)

// A reader empties the ring into batches.
type reader struct {
	batch int // events
	full  chan []event.Event
	free  chan []event.Event
	done  chan struct{}
	// rounds counts how often the ring was found empty and all that had been in it
	// was handed on; round is told so.
	rounds atomic.Uint64
	round  chan struct{}
	err    error // set before full is closed
}

// startReader reads the ring into batches of the given number of events.
func startReader(p *probe.Probe, batch int) *reader {
	r := &reader{
		batch: batch,
		full:  make(chan []event.Event, batchesHeld),
		free:  make(chan []event.Event, batchesKept),
		done:  make(chan struct{}), round: make(chan struct{}, 1),
	}
	go r.run(p)
	return r
}

func (r *reader) run(p *probe.Probe) {
	defer keepAhead()()
	defer close(r.done)
	defer close(r.full)
	batch := r.empty()
	var told, start event.Time // start: before it was last seen whether the ring is empty
	for reads := 0; ; reads++ {
		if reads%readsPerLook == 0 {
			start = now()
			p.SetDeadline(time.Now().Add(pollEvery))
		}
		batch = batch[:len(batch)+1]
		err := p.Read(&batch[len(batch)-1])
		switch {
		case errors.Is(err, probe.ErrClosed):
			return
		case err != nil:
			batch = batch[:len(batch)-1]
			if !errors.Is(err, probe.ErrTimeout) {
				r.err = err
			} else if start-told > clockEvery { // the ring was empty then
				batch = append(batch, event.Event{Kind: event.Clock, Time: start})
				told = start
			}
		}
		if len(batch) == r.batch || err != nil && len(batch) > 0 {
			r.full <- batch
			batch = r.empty()
		}
		if errors.Is(err, probe.ErrTimeout) {
			reads = -1 // look at the clock
			r.rounds.Add(1)
			select {
			case r.round <- struct{}{}:
			default:
			}
		}
	}
}

// empty returns a batch without events.
func (r *reader) empty() []event.Event {
	select {
	case b := <-r.free:
		return b[:0]
	default:
		return make([]event.Event, 0, r.batch)
	}
}

// recycle gives a batch back.
func (r *reader) recycle(b []event.Event) {
	clear(b)
	select {
	case r.free <- b:
	default:
	}
}

// wait returns when the reader has ended, which it does once the probe is closed.
func (r *reader) wait() {
	for range r.full {
	}
	<-r.done
}
