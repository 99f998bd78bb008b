package probe

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// Open loads the programs and attaches them. They trace nothing until Add.
// Nothing of them outlives the process.
func Open(o Options) (*Probe, error) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("reading the kernel's types: %w", err)
	}
	want := o.Order
	var why string
	if o.Order, why, err = featuresOf(kernel).choose(want); err != nil {
		return nil, err
	}
	p, err := open(o, kernel)
	if err != nil && want == OrderAuto && o.Order == OrderLock && !errors.Is(err, os.ErrPermission) {
		o.Order, why = OrderCalls, fmt.Sprintf("the lock cannot be traced (%v)", err)
		if second, e := open(o, kernel); e == nil {
			p, err = second, nil
		}
	}
	if err != nil {
		return nil, err
	}
	p.whyOrder = why
	return p, nil
}

// Order returns by what changes are put in order, OrderLock or OrderCalls, and in
// words why that is not OrderLock.
func (p *Probe) Order() (o Order, why string) { return p.order, p.whyOrder }

// SetThrift changes what is left out; it has an effect only on a probe that is Timed.
func (p *Probe) SetThrift(t Thrift) error {
	if err := p.programs.Variables["saving"].Set(uint32(t)); err != nil {
		return fmt.Errorf("telling the kernel side to save time: %w", err)
	}
	return nil
}

// open does what Open does, in the order that o names.
func open(o Options, kernel *btf.Spec) (p *Probe, err error) {
	p = &Probe{slots: make(map[event.SpaceID]uint32), order: o.Order}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
			p = nil
		}
	}()
	if p.programs, p.chunks, p.ranges, err = load(o, kernel); err != nil {
		return p, err
	}
	if o.Order == OrderCalls {
		if p.underWay, err = p.programs.Maps["inflight_slots"].Memory(); err != nil {
			return p, fmt.Errorf("mapping the calls under way: %w", err)
		}
	}
	if p.reader, err = ringbuf.NewReader(p.programs.Maps["events"]); err != nil {
		return p, fmt.Errorf("opening the ring buffer: %w", err)
	}
	if p.links, err = attach(p.programs); err != nil {
		return p, err
	}
	return p, nil
}
