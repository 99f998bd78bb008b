package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// load brings the programs into the kernel, those that this kernel can run. It
// also returns what unwind tables and lists of code are made like.
func load(o Options) (c *ebpf.Collection, chunks, ranges *ebpf.MapSpec, err error) {
	spec, err := loadBpf()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the kernel side: %w", err)
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the kernel's types: %w", err)
	}
	if err := fit(spec, kernel); err != nil {
		return nil, nil, nil, err
	}
	ring := o.RingBytes
	if ring == 0 {
		ring = DefaultRing
	}
	spec.Maps["events"].MaxEntries = uint32(ring)
	for name, value := range map[string]any{
		"pid_namespace_inode": o.PIDNamespace,
		"wake_bytes":          uint32(ring / 8),
		"code_mask":           CodeMask,
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

// fit drops the programs that the kernel has no hook for. Of those for the
// lock exactly one stays.
func fit(spec *ebpf.CollectionSpec, kernel *btf.Spec) error {
	lock, err := lockProgram(kernel)
	if err != nil {
		return err
	}
	for _, name := range []string{"lock_acquired", "lock_acquired_memcg", "lock_acquired_raw"} {
		if name != lock {
			delete(spec.Programs, name)
		}
	}
	if hook(kernel, "sys_exit") != nil {
		delete(spec.Programs, "call_returned_raw")
	} else {
		delete(spec.Programs, "call_returned")
	}
	if hook(kernel, "exit_mmap") == nil { // before Linux 6.1
		delete(spec.Programs, "space_ended")
	}
	return nil
}

// lockProgram chooses the program for the lock by the arguments that the
// kernel passes to it. Up to 6.12 there is the name of a cgroup among them.
func lockProgram(kernel *btf.Spec) (string, error) {
	proto := hook(kernel, "mmap_lock_acquire_returned")
	if proto == nil {
		return "", fmt.Errorf("looking up the tracepoint mmap_lock_acquire_returned: %w", ErrNotSupported)
	}
	switch len(proto.Params) - 1 { // the first is the hook's own
	case 3:
		return "lock_acquired", nil
	case 4:
		return "lock_acquired_memcg", nil
	}
	return "lock_acquired_raw", nil
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
	"exited", "space_ended", "executed", "forked",
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
