package session

import (
	"sync"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
)

// glimpseTime is how long a command that has just begun is watched: a short one has
// loaded its libraries and is gone before the first of its events has been read,
// and its stacks cannot be finished without them. Some live for less than a
// millisecond, so there is no pause between readings.
const glimpseTime = 10 * time.Millisecond

// A glimpse holds the newest map of a program's beginning.
type glimpse struct {
	mu      sync.Mutex
	regions []event.Region
}

// glance begins to watch the map of a space.
func (s *Session) glance(sp *space) {
	if sp.proc == nil {
		return
	}
	f, err := sp.proc.OpenMap()
	if err != nil {
		return // it is gone already
	}
	sp.glimpse = new(glimpse)
	go sp.glimpse.watch(f)
}

// watch reads the map again and again, until it has no more to tell.
func (g *glimpse) watch(f *procfs.SpaceMap) {
	defer func() { _ = f.Close() }()
	for end := time.Now().Add(glimpseTime); time.Now().Before(end); {
		regions, err := f.Read()
		if err != nil {
			return
		}
		g.mu.Lock()
		g.regions = regions
		g.mu.Unlock()
	}
}

// take returns the newest map, nil if there is none, and forgets it.
func (g *glimpse) take() []event.Region {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	regions := g.regions
	g.regions = nil
	return regions
}

// recall takes the code of a space that is gone from the glimpse of it. The kernel
// side needs to know nothing any more.
func (s *Session) recall(sp *space) {
	regions := sp.glimpse.take()
	if regions == nil {
		return
	}
	s.learn(sp.code, sp.proc, regions)
	sp.stale = false
	code := sp.code.Code()
	if err := s.tables.load(code); err != nil {
		s.note("making unwind tables", err)
	}
	sp.codes = s.tables.codes(code)
}
