package symbol

import (
	"slices"
	"sync"

	"github.com/mmtrace/mmtrace/pkg/stack"
)

// maxCached bounds what a cache holds, in bytes, about.
const maxCached = 32 << 20

// Sizes in bytes of a frame and of what else an address takes.
const (
	frameSize = 128
	entrySize = 64
)

// A cacheKey tells which modules are equal: those of one build ID and size.
// The size tells a file from its stripped copy.
type cacheKey struct {
	id   string
	size uint64
}

// A frameCache holds the frames of addresses, by their offset in the file: many
// stacks share addresses, and many files, in containers for one, are copies.
type frameCache struct {
	mu     sync.Mutex
	frames map[uint64][]stack.Frame
	held   int // bytes
}

func newFrameCache() *frameCache { return &frameCache{frames: map[uint64][]stack.Frame{}} }

// get returns a copy of the frames at off, nil if they are known to be none.
func (c *frameCache) get(off uint64) ([]stack.Frame, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fs, ok := c.frames[off]
	return slices.Clone(fs), ok
}

// put remembers the frames at off. It takes them over.
func (c *frameCache) put(off uint64, fs []stack.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := entrySize
	for i := range fs {
		n += frameSize + len(fs[i].Function) + len(fs[i].Linkage) + len(fs[i].File)
	}
	if c.held += n; c.held > maxCached {
		clear(c.frames)
		c.held = n
	}
	c.frames[off] = fs
}

// findCache returns the cache that m shares with its equals.
func (m *Module) findCache() *frameCache {
	id := m.BuildID()
	if m.s == nil || id == "" {
		return newFrameCache()
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	k := cacheKey{id, m.src.size}
	c := m.s.caches[k]
	if c == nil {
		c = newFrameCache()
		if len(m.s.caches) < maxModules {
			m.s.caches[k] = c
		}
	}
	return c
}
