package probe

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// load brings the programs into the kernel, those that this kernel can run and
// o.Order needs. It also returns what unwind tables and lists of code are made like.
func load(o Options, kernel *btf.Spec) (c *ebpf.Collection, chunks, ranges *ebpf.MapSpec, err error) {
	spec, err := loadBpf()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the kernel side: %w", err)
	}
	fit(spec, kernel, o)
	ring := o.RingBytes
	if ring == 0 {
		ring = DefaultRing
	}
	spec.Maps["events"].MaxEntries = uint32(ring)
	for name, value := range map[string]any{
		"pid_namespace_inode": o.PIDNamespace,
		"wake_bytes":          uint32(ring / 8),
		"code_mask":           CodeMask,
		"order_calls":         o.Order == OrderCalls,
		"timed":               o.Timed,
		"check_replays":       o.CheckReplays,
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, nil, nil, fmt.Errorf("setting %s: %w", name, err)
		}
	}
	c, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{KernelTypes: kernel},
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("loading BPF programs: %w", err)
	}
	return c, spec.Maps["modules"].InnerMap, spec.Maps["code"].InnerMap, nil
}

// fit drops the programs that the kernel has no hook for, and those of the
// other order. Of those for one hook exactly one stays.
func fit(spec *ebpf.CollectionSpec, kernel *btf.Spec, o Options) {
	calls := o.Order == OrderCalls
	keep := map[string]bool{
		"space_ended":   hook(kernel, "exit_mmap") != nil, // from Linux 6.1 on
		"call_returned": !o.plain && hook(kernel, "sys_exit") != nil,
		"call_entered":  calls && !o.plain && hook(kernel, "sys_enter") != nil,
	}
	keep["call_returned_raw"] = !keep["call_returned"]
	keep["call_entered_raw"] = calls && !keep["call_entered"]
	for _, name := range []string{"lock_acquired", "lock_acquired_memcg", "lock_acquired_raw"} {
		keep[name] = o.Order == OrderLock && name == lockProgram(kernel, o.plain)
	}
	for name, ok := range keep {
		if !ok {
			delete(spec.Programs, name)
		}
	}
}

// lockProgram chooses the program for the lock by the arguments that the
// kernel passes to it. Up to 6.12 there is the name of a cgroup among them.
func lockProgram(kernel *btf.Spec, plain bool) string {
	switch len(hook(kernel, "mmap_lock_acquire_returned").Params) - 1 { // the first is the hook's own
	case 3:
		if !plain {
			return "lock_acquired"
		}
	case 4:
		return "lock_acquired_memcg"
	}
	return "lock_acquired_raw"
}

// featuresOf finds out what the choice of an order depends on.
func featuresOf(kernel *btf.Spec) features {
	f := features{lockHook: hook(kernel, "mmap_lock_acquire_returned") != nil}
	var vma *btf.Struct
	if err := kernel.TypeByName("vm_area_struct", &vma); err == nil {
		f.perVMALocks = slices.ContainsFunc(vma.Members, func(m btf.Member) bool { return m.Name == "vm_lock_seq" })
	}
	return f
}

// hook returns the prototype of a tracepoint, or nil if the kernel lacks it.
func hook(kernel *btf.Spec, name string) *btf.FuncProto {
	var def *btf.Typedef
	if err := kernel.TypeByName("btf_trace_"+name, &def); err != nil {
		return nil
	}
	pointer, ok := def.Type.(*btf.Pointer)
	if !ok {
		return nil
	}
	proto, _ := pointer.Target.(*btf.FuncProto)
	return proto
}

// attachOrder: the return of calls comes before the lock, so that no number is
// given out whose call's return goes unseen.
var attachOrder = []string{
	"call_returned", "call_returned_raw",
	"exited", "space_ended", "executed", "forked", "call_entered", "call_entered_raw",
	"lock_acquired", "lock_acquired_memcg", "lock_acquired_raw",
}

// attach hangs the loaded programs on their hooks. On an error it leaves none.
func attach(c *ebpf.Collection) (links []link.Link, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(links))
		}
	}()
	for _, name := range attachOrder {
		p := c.Programs[name]
		if p == nil {
			continue
		}
		var l link.Link
		switch p.Type() {
		case ebpf.RawTracepoint:
			l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: rawHooks[name], Program: p})
		default:
			l, err = link.AttachTracing(link.TracingOptions{Program: p})
		}
		if err != nil {
			return links, fmt.Errorf("attaching %s: %w", name, err)
		}
		links = append(links, l)
	}
	return links, nil
}

var rawHooks = map[string]string{
	"call_returned_raw":   "sys_exit",
	"call_entered_raw":    "sys_enter",
	"lock_acquired_memcg": "mmap_lock_acquire_returned",
	"lock_acquired_raw":   "mmap_lock_acquire_returned",
}

func closeAll(links []link.Link) error {
	var err error
	for i := len(links) - 1; i >= 0; i-- {
		err = errors.Join(err, links[i].Close())
	}
	return err
}
