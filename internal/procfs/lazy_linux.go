package procfs

// LazyFree returns the parts of the address space of which something was given back
// by MADV_FREE and is still in memory, in the order of addresses. Only
// /proc/PID/smaps tells; to read it takes as long as to look at all page tables, and
// the process cannot map or unmap while a line of it is made.
func (p *Process) LazyFree() ([]LazyFree, error) {
	f, err := p.openTask("smaps")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parts, err := parseLazyFree(f)
	if err != nil {
		return nil, p.wrap("smaps", err)
	}
	return parts, nil
}
