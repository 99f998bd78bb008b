//go:build !linux

package procfs

// CountMappings returns ErrNotSupported.
func (p *Process) CountMappings() (uint64, error) { return 0, notSupported("reading maps") }

// CountFDs returns ErrNotSupported.
func (p *Process) CountFDs() (uint64, error) { return 0, notSupported("counting file descriptors") }
