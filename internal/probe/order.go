package probe

import "fmt"

// An Order says by what the changes of an address space are put in order.
type Order string

const (
	// OrderAuto, the zero value, is OrderLock unless the kernel cannot do it or
	// the target would pay too much for it.
	OrderAuto Order = ""
	// OrderLock: changes are numbered under the lock of the address space. That
	// is their order, and the kernel's page count at each is compared.
	OrderLock Order = "lock"
	// OrderCalls: what a call gives back is numbered when it begins, what it maps
	// when it returns. That is the order of everything that a program does which
	// gives back only what it was given before; between threads that race for the
	// same addresses it is not. Page counts are not known, and what the kernel
	// changes by itself is not seen.
	OrderCalls Order = "calls"
)

// features are what the choice of an Order depends on.
type features struct {
	// lockHook: there is the tracepoint mmap_lock_acquire_returned (Linux 5.11,
	// CONFIG_TRACING).
	lockHook bool
	// perVMALocks: a page fault locks one mapping and not the address space (Linux
	// 6.4, CONFIG_PER_VMA_LOCK), so that it does not pass the tracepoint.
	perVMALocks bool
}

// choose returns the order to use, OrderLock or OrderCalls, and why it is not
// OrderLock, as words for a report. Without per-VMA locks every page fault
// of every process passes the lock's tracepoint, which before Linux 6.13 looks up
// and formats the path of a control group first: faults were measured to take
// 1.14 to 1.17 times as long on Linux 6.1, and 1.02 to 1.07 on 6.12, which has
// such locks. Error: ErrNotSupported.
func (f features) choose(want Order) (o Order, why string, err error) {
	switch {
	case want == OrderCalls:
		return OrderCalls, "as asked", nil
	case want == OrderLock && !f.lockHook:
		return "", "", fmt.Errorf("looking up the tracepoint mmap_lock_acquire_returned: %w", ErrNotSupported)
	case want == OrderLock:
		return OrderLock, "", nil
	case want != OrderAuto:
		return "", "", fmt.Errorf("ordering by %q: %w", string(want), ErrNotSupported)
	case !f.lockHook:
		return OrderCalls, "this kernel does not tell when a lock is taken", nil
	case !f.perVMALocks:
		return OrderCalls, "on this kernel every page fault would pay for the exact order", nil
	}
	return OrderLock, "", nil
}
