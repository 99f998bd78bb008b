//go:build !linux

package procfs

import (
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// NodeOf returns ErrNotSupported.
func NodeOf(string) (Node, error) { return Node{}, notSupported("reading files") }

// Node returns ErrNotSupported.
func (p *Process) Node(string) (Node, error) { return Node{}, notSupported("reading files") }

// RegionNode returns ErrNotSupported.
func (p *Process) RegionNode(event.Region) (Node, error) {
	return Node{}, notSupported("reading files")
}

// Descriptors returns ErrNotSupported.
func (p *Process) Descriptors(int, time.Time) ([]Descriptor, bool, error) {
	return nil, false, notSupported("reading descriptors")
}

// Filesystems returns ErrNotSupported.
func (p *Process) Filesystems() (map[uint64]string, error) {
	return nil, notSupported("reading mounts")
}

// Segments returns ErrNotSupported.
func Segments() ([]shm.Segment, error) { return nil, notSupported("reading shared memory") }
