package probe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// enableStats switches the kernel's statistics of BPF programs on, until Close.
// Since they are on for the whole machine, it takes CAP_SYS_ADMIN, unless the
// administrator has them always on.
func enableStats() (io.Closer, error) {
	c, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if errors.Is(err, fs.ErrPermission) {
		if text, rerr := os.ReadFile("/proc/sys/kernel/bpf_stats_enabled"); rerr == nil && strings.TrimSpace(string(text)) == "1" {
			return io.NopCloser(nil), nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("switching BPF statistics on: %w", err)
	}
	return c, nil
}

// efforts returns what each program did so far.
func (p *Probe) efforts() (map[string]Effort, error) {
	out := make(map[string]Effort, len(p.programs.Programs))
	for name, prog := range p.programs.Programs {
		stats, err := prog.Stats()
		if err != nil {
			return nil, fmt.Errorf("reading the statistics of %s: %w", name, err)
		}
		out[name] = Effort{stats.RunCount, uint64(stats.Runtime.Nanoseconds())}
	}
	return out, nil
}

// IsReturn and IsLock tell the two programs that a mapping call runs: the one at
// its return, and the one at the lock.
func IsReturn(program string) bool { return strings.HasPrefix(program, "call_returned") }

// IsLock: see IsReturn.
func IsLock(program string) bool { return strings.HasPrefix(program, "lock_acquired") }

// both returns the efforts of those two programs.
func both(m map[string]Effort) (atReturn, atLock Effort) {
	for name, e := range m {
		switch {
		case IsReturn(name):
			atReturn = atReturn.plus(e)
		case IsLock(name):
			atLock = atLock.plus(e)
		}
	}
	return atReturn, atLock
}

// Counts of calls that are timed. The best of many short rounds counts, since
// whatever disturbs makes a round longer.
const (
	ownRounds   = 80
	ownCalls    = 40
	ownMappings = 8
)

// MeasureOwnCalls times calls of this process. It takes about 8 ms.
func MeasureOwnCalls() OwnCalls {
	best := OwnCalls{math.MaxFloat64, math.MaxFloat64}
	for spell := range 3 {
		if spell > 0 { // other threads of this process may be at work, which hold up mmap
			time.Sleep(time.Millisecond)
		}
		for range ownRounds {
			best.Other = min(best.Other, timed(ownCalls, call))
			best.Mapping = min(best.Mapping, timed(ownMappings, mapAndUnmap)/2)
		}
	}
	return best
}

// timed returns the ns of one f.
func timed(n int, f func()) float64 {
	start := monotonic()
	for range n {
		f()
	}
	return float64(monotonic()-start) / float64(n)
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // the clock always exists
	}
	return ts.Nano()
}

func call() { _, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) } // it cannot fail

func mapAndUnmap() {
	page := uintptr(os.Getpagesize())
	addr, _, errno := unix.RawSyscall6(unix.SYS_MMAP, 0, page, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0)
	if errno == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_MUNMAP, addr, page, 0) // it was just mapped
	}
}

// Baseline measures what the programs cost calls that they do not record. It must
// be called before the first Add: then all calls are such. before is what
// MeasureOwnCalls returned before Open. With an error, which is fs.ErrPermission
// where the statistics may not be switched on, Longer is set all the same.
func (p *Probe) Baseline(before OwnCalls) (b Baseline, err error) {
	b, err = p.idleBaseline()
	// Now and not at once: after Open the garbage collector may be at work.
	after := MeasureOwnCalls()
	b.Longer = OwnCalls{max(0, after.Other-before.Other), max(0, after.Mapping-before.Mapping)}
	return b, err
}

// idleBaseline measures by the kernel's statistics.
func (p *Probe) idleBaseline() (b Baseline, err error) {
	stats, err := enableStats()
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, stats.Close()) }()
	const rounds = 16
	first, err1 := p.efforts()
	for range rounds * ownCalls {
		call()
	}
	second, err2 := p.efforts()
	for range rounds * ownMappings {
		mapAndUnmap()
	}
	third, err3 := p.efforts()
	if err := errors.Join(err1, err2, err3); err != nil {
		return b, err
	}
	r1, _ := both(first)
	r2, l2 := both(second)
	r3, l3 := both(third)
	b.Idle = r2.minus(r1).perRun()
	b.IdleLock = l3.minus(l2).perRun()
	// What others called in between was hardly a mapping call.
	calls := float64(2 * rounds * ownMappings)
	atReturn := r3.minus(r2)
	b.IdleMapping = max(0, float64(atReturn.Time)-b.Idle*(float64(atReturn.Runs)-calls))/calls + b.IdleLock
	return b, nil
}

// MapBytes returns the memory of all BPF maps, in bytes: the sum of BytesOf.
func (p *Probe) MapBytes() uint64 {
	sum := p.tableBytes.Load()
	for _, m := range p.programs.Maps {
		sum += BytesOf(m)
	}
	return sum
}

// BytesOf returns the memory of a BPF map, in bytes, as the kernel counts it, without
// that of maps inside; 0 if the kernel does not tell.
func BytesOf(m *ebpf.Map) uint64 {
	info, err := m.Info()
	if err != nil {
		return 0
	}
	n, _ := info.Memlock()
	if m.Type() == ebpf.RingBuf && n < uint64(m.MaxEntries()) {
		// Before Linux 6.4 its memory was taken to be entries times the size of a
		// key and a value, which a ring buffer does not have (bpf_map_memory_footprint,
		// kernel/bpf/syscall.c).
		n += uint64(m.MaxEntries())
	}
	return n
}
