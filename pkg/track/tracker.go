package track

import (
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
)

// Stats counts what a Tracker met.
type Stats struct {
	Calls        map[event.Kind]uint64 // by kind, failed ones too
	Failed       uint64
	Mapped       uint64 // bytes mapped by calls seen
	Unmapped     uint64 // of these, bytes given back
	MappedCount  uint64
	GoneCount    uint64 // mappings of which nothing is left
	OldUnmapped  uint64 // bytes given back that were there before
	OldOpened    int64  // by how much more of what was there before is accessible, by mprotect, in bytes
	OldReturned  uint64 // bytes that madvise gave back of what was there before
	Untold       uint64 // bytes that process_madvise gave back in ranges that no event tells
	UnknownUnmap uint64 // bytes of successful munmaps that held nothing we knew
	Overlaid     uint64 // bytes replaced by fixed mappings
	HeapGrowth   int64  // bytes
	Checks       uint64 // comparisons of page counts
	Mismatches   uint64
	Resyncs      uint64 // readings after losses, doubts and mismatches
	Corrected    uint64 // bytes that readings of the kernel's map found wrong
	Missing      uint64 // changes given up
	Late         uint64
}

// A Process is a traced process.
type Process struct {
	PID    event.PID
	Parent event.PID
	Space  event.SpaceID
	Comm   string
	Ended  bool
	Status int64 // as wait(2) has it, when Ended
}

// A Tracker applies ordered events. It is an order.Sink. It is not safe for
// concurrent use.
type Tracker struct {
	page      uint64
	byCalls   bool // see OrderByCalls
	spaces    map[event.SpaceID]*Space
	processes map[event.PID]*Process
	former    []*Process // that ended and whose ID was used again, by the time of that
	accounts  map[AccountKey]*Account
	failures  map[FailureKey]*Failure
	sizes     map[sizeKey]uint64        // bytes
	returned  map[*Mapping]Returned     // what madvise gave back of what is left
	openers   map[*Mapping]*Opened      // who opened what is mapped
	made      map[int32]Made            // System V segments by ID
	calls     [event.MapVDSO + 1]uint64 // by kind
	stats     Stats
	begin     event.Time // of the first event, 0 before it
	now       event.Time // of the newest event
}

// New returns a Tracker for pages of the given size in bytes.
func New(page uint64) *Tracker {
	return &Tracker{
		page:      page,
		spaces:    make(map[event.SpaceID]*Space),
		processes: make(map[event.PID]*Process),
		accounts:  make(map[AccountKey]*Account),
		failures:  make(map[FailureKey]*Failure),
		sizes:     make(map[sizeKey]uint64),
		returned:  make(map[*Mapping]Returned),
		openers:   make(map[*Mapping]*Opened),
		made:      make(map[int32]Made),
	}
}

// tick advances the time of t, which never goes back.
func (t *Tracker) tick(now event.Time) {
	if t.begin == 0 {
		t.begin = now
	}
	t.now = max(t.now, now)
}

// Begin returns the time of the first event, from which the levels of accounts
// are counted.
func (t *Tracker) Begin() event.Time { return t.begin }

// Stats returns the counts so far.
func (t *Tracker) Stats() Stats {
	s := t.stats
	s.Calls = make(map[event.Kind]uint64)
	for kind, n := range t.calls {
		if n > 0 {
			s.Calls[event.Kind(kind)] = n
		}
	}
	return s
}

// Spaces returns the address spaces by ID. They are t's own.
func (t *Tracker) Spaces() map[event.SpaceID]*Space { return t.spaces }

// Former returns the processes that ended and whose ID another has since, by the
// time when that began. They are t's own.
func (t *Tracker) Former() []*Process { return t.former }

// Processes returns the newest process of each ID. They are t's own.
func (t *Tracker) Processes() map[event.PID]*Process { return t.processes }

// Accounts returns the accounts of call paths. They are t's own.
func (t *Tracker) Accounts() map[AccountKey]*Account { return t.accounts }

// Failures returns the failed calls. They are t's own.
func (t *Tracker) Failures() map[FailureKey]*Failure { return t.failures }

// Wants returns the spaces whose map should be read from the kernel, and why.
func (t *Tracker) Wants() map[event.SpaceID]Want {
	var out map[event.SpaceID]Want
	for id, sp := range t.spaces {
		if sp.wants != Nothing && !sp.Ended {
			if out == nil {
				out = make(map[event.SpaceID]Want)
			}
			out[id] = sp.wants
		}
	}
	return out
}

// Apply advances t past ev. It accepts every sequence of events: what does not
// fit is counted in Stats.
func (t *Tracker) Apply(ev *event.Event) {
	t.tick(ev.Time)
	switch ev.Kind {
	case event.Process:
		t.enter(ev.PID, event.PID(ev.Ret), ev.Space, ev.Name)
		return
	case event.Exit:
		t.exit(ev)
		return
	case event.ShmGet:
		t.remember(sizeKey{event.Shmat, uint64(ev.Ret)}, ev.Segment(t.page))
		t.madeBy(ev)
		return
	case event.Bad, event.StackDef:
		return
	}
	sp := t.space(ev.Space)
	sp.lost = max(sp.lost, ev.Lost)
	switch ev.Kind {
	case event.Fork:
		t.fork(sp, ev)
		return
	case event.Exec:
		t.exec(sp, ev)
		return
	case event.Open, event.Dup:
		t.opened(sp, ev)
		return
	}
	sp.again = ev.Marks&event.Late != 0 || ev.Seq != 0 && ev.Seq <= sp.settleUntil
	if ev.Marks&event.Late != 0 {
		t.late(sp, ev)
		return
	}
	if ev.Seq != 0 {
		t.check(sp, ev)
	}
	r := t.meet(sp, ev)
	t.call(sp, ev)
	sp.race(ev, r, t.page)
}

// check compares the kernel's page count before the change with ours. A
// difference says that something unseen happened. While a reading of the map is
// wanted because of a doubt or a difference, others are no news.
func (t *Tracker) check(sp *Space, ev *event.Event) {
	sp.counted = sp.counted || ev.TotalVM != 0
	if ev.TotalVM == 0 || !sp.known || ev.Seq <= sp.settleUntil || sp.broken || sp.wants >= Doubt {
		if sp.open != nil && ev.Seq > sp.settleUntil {
			sp.doubt(sp.open, t.page)
		}
		sp.open = nil
		return
	}
	t.stats.Checks++
	if sp.open != nil {
		t.resolve(sp, int64(ev.TotalVM)-t.pages(sp))
	}
	switch differs := int64(ev.TotalVM) - t.pages(sp); {
	case differs == 0:
		sp.fresh, sp.other = sp.fresh && sp.doubtful != nil, false
	case sp.fresh:
		sp.want(First)
	case differs > 0 && sp.other: // a call's own page fault may extend a stack, too
		sp.want(Growth)
	case sp.wants < Doubt:
		t.stats.Mismatches++
		sp.want(Mismatch)
	}
}

// pages returns the size of the live map in pages.
func (t *Tracker) pages(sp *Space) int64 { return int64(sp.Live.Bytes() / t.page) }

// Gap says that n changes of a space are missing before the next event; lost
// says that they will never come.
func (t *Tracker) Gap(id event.SpaceID, n uint64, lost bool) {
	sp := t.space(id)
	t.stats.Missing += n
	sp.broken = true
	sp.lossy = sp.lossy || lost
	sp.want(Loss)
}

func (t *Tracker) space(id event.SpaceID) *Space {
	sp := t.spaces[id]
	if sp == nil {
		sp = &Space{ID: id, Live: interval.NewMap[Piece]()}
		sp.want(First)
		t.spaces[id] = sp
	}
	return sp
}
