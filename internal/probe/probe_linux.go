package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A Probe is the loaded and attached kernel side. Read must be called from one
// goroutine at a time; the other methods may run beside it.
type Probe struct {
	programs *ebpf.Collection
	links    []link.Link
	reader   *ringbuf.Reader
	record   ringbuf.Record
	mu       sync.Mutex
	slots    map[event.SpaceID]uint32 // in the map of spaces; under mu

	modules        uint32        // tables handed over
	lists          uint32        // of code handed over
	tableBytes     atomic.Uint64 // memory of the maps of modules
	chunks, ranges *ebpf.MapSpec // of a table, of a list of code

	order    Order
	whyOrder string
	underWay *ebpf.Memory // slots of calls that have begun; under OrderCalls
}

// Close detaches and unloads. A Read that waits returns ErrClosed.
func (p *Probe) Close() error {
	err := closeAll(p.links)
	p.links = nil
	if p.reader != nil {
		err = errors.Join(err, p.reader.Close())
	}
	if p.programs != nil {
		p.programs.Close()
	}
	return err
}

// Detach stops the tracing; what is in the ring can still be read.
func (p *Probe) Detach() error {
	err := closeAll(p.links)
	p.links = nil
	return err
}

// Add hands targets over and returns those that the kernel side found alive,
// in no particular order. From its return on, no change of theirs goes unseen.
func (p *Probe) Add(targets []Target) ([]Found, error) {
	marks := p.programs.Maps["targets"]
	for _, t := range targets {
		v := bpfTarget{Cookie: t.Cookie}
		if t.Follow {
			v.Flags |= uint32(bpfProcessFlagPROCESS_FOLLOW)
		}
		if t.StopAtExec {
			v.Flags |= uint32(bpfProcessFlagPROCESS_STOP)
		}
		err := marks.Put(int32(t.Pidfd), &v)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			continue // it has ended, and is not found below
		}
		if err != nil {
			return nil, fmt.Errorf("handing over a target: %w", err)
		}
	}
	it, err := link.AttachIter(link.IterOptions{Program: p.programs.Programs["find_targets"]})
	if err != nil {
		return nil, fmt.Errorf("creating a task iterator: %w", err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return nil, fmt.Errorf("opening a task iterator: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("finding targets: %w", err)
	}
	for _, t := range targets {
		_ = marks.Delete(int32(t.Pidfd)) // the mark has served; the task may be gone
	}
	return decodeFound(b), nil
}

func decodeFound(b []byte) []Found {
	var out []Found
	for le := binary.LittleEndian; len(b) >= 16; b = b[16:] {
		out = append(out, Found{
			Cookie:  le.Uint32(b),
			Initial: event.PID(le.Uint32(b[4:])),
			Space:   event.SpaceID(le.Uint32(b[8:])),
		})
	}
	return out
}

// SetDeadline says until when Read waits. It may be called beside it.
func (p *Probe) SetDeadline(t time.Time) { p.reader.SetDeadline(t) }

// Read waits for the next record until the deadline and decodes it into ev.
// Errors: ErrTimeout, ErrClosed, or that of a malformed record, after which
// reading can go on.
func (p *Probe) Read(ev *event.Event) error {
	switch err := p.reader.ReadInto(&p.record); {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, ringbuf.ErrFlushed):
		return ErrTimeout
	case errors.Is(err, ringbuf.ErrClosed):
		return ErrClosed
	case err != nil:
		return fmt.Errorf("reading the ring buffer: %w", err)
	}
	return event.Decode(p.record.RawSample, ev)
}

// Flush makes a Read that waits return ErrTimeout once it has read what is in
// the ring.
func (p *Probe) Flush() error { return p.reader.Flush() }

// Sequences returns the number of the newest change of every space under trace.
func (p *Probe) Sequences() (map[event.SpaceID]uint64, error) {
	out := make(map[event.SpaceID]uint64)
	var key uint64
	var v bpfSpace
	var slot uint32
	it := p.programs.Maps["space_slots"].Iterate()
	for it.Next(&key, &slot) {
		if err := p.programs.Maps["spaces"].Lookup(slot, &v); err == nil && v.Mm == key {
			out[event.SpaceID(v.Id)] = v.Seq
		}
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("reading the spaces under trace: %w", err)
	}
	return out, nil
}

// State returns where a space stands. Error: ErrNoSpace once it has ended.
func (p *Probe) State(id event.SpaceID) (State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	spaces := p.programs.Maps["spaces"]
	var v bpfSpace
	if slot, ok := p.slots[id]; ok {
		if err := spaces.Lookup(slot, &v); err == nil && v.Mm != 0 && event.SpaceID(v.Id) == id {
			return stateOf(&v), nil
		}
		delete(p.slots, id)
		return State{}, ErrNoSpace
	}
	var key uint64
	var slot uint32
	for it := p.programs.Maps["space_slots"].Iterate(); it.Next(&key, &slot); {
		if err := spaces.Lookup(slot, &v); err != nil || v.Mm != key {
			continue
		}
		p.slots[event.SpaceID(v.Id)] = slot
		if event.SpaceID(v.Id) == id {
			return stateOf(&v), nil
		}
	}
	return State{}, ErrNoSpace
}

func stateOf(v *bpfSpace) State { return State{Seq: v.Seq, Lost: v.Lost, CodeChanges: v.CodeChanges} }

// Counters returns what the kernel side has counted so far.
func (p *Probe) Counters() (Counters, error) {
	var c Counters
	sums := make(map[bpfCounter]uint64)
	for i := bpfCounter(0); i < bpfCounterCOUNTERS; i++ {
		n, err := p.counter(i)
		if err != nil {
			return c, err
		}
		sums[i] = n
	}
	c.Events, c.Stacks = sums[bpfCounterCOUNT_EVENTS], sums[bpfCounterCOUNT_STACKS]
	c.Lost, c.StacksLost = sums[bpfCounterCOUNT_LOST], sums[bpfCounterCOUNT_STACKS_LOST]
	c.MapFull = sums[bpfCounterCOUNT_INFLIGHT_FULL] + sums[bpfCounterCOUNT_SPACES_FULL] + sums[bpfCounterCOUNT_PROCESSES_FULL]
	c.Copies = sums[bpfCounterCOUNT_COPIES]
	c.Second = sums[bpfCounterCOUNT_SECOND]
	c.Spent, c.Unstacked = sums[bpfCounterCOUNT_SPENT], sums[bpfCounterCOUNT_UNSTACKED]
	c.Assumed, c.Checked = sums[bpfCounterCOUNT_ASSUMED], sums[bpfCounterCOUNT_CHECKED]
	c.Differed = sums[bpfCounterCOUNT_DIFFERED]
	c.Replays, c.ReplaysWrong = sums[bpfCounterCOUNT_REPLAYS], sums[bpfCounterCOUNT_REPLAYS_WRONG]
	for name, prog := range p.programs.Programs {
		stats, err := prog.Stats()
		if err != nil {
			return c, fmt.Errorf("reading the statistics of %s: %w", name, err)
		}
		c.Missed += stats.RecursionMisses
		c.RunTime += uint64(stats.Runtime.Nanoseconds())
		c.Runs += stats.RunCount
	}
	return c, nil
}

// counter returns the sum of a counter over all CPUs.
func (p *Probe) counter(i bpfCounter) (sum uint64, err error) {
	var perCPU []uint64
	if err := p.programs.Maps["counters"].Lookup(uint32(i), &perCPU); err != nil {
		return 0, fmt.Errorf("reading counter %d: %w", i, err)
	}
	for _, n := range perCPU {
		sum += n
	}
	return sum, nil
}
