// Package session runs a live trace: it connects the kernel side, /proc, the
// symbols and the core.
//
// One goroutine reads the ring and does nothing else. Another owns all state:
// it applies events, has maps read when the core asks for it, and makes reports.
package session

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mmtrace/mmtrace/internal/probe"
	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/symbol"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/trace"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// ErrNoTarget means that there is nothing to trace.
var ErrNoTarget = errors.New("no target")

// A Config says what to trace.
type Config struct {
	Targets []*procfs.Process // stay the caller's
	Follow  bool              // children, too
	// StopAtExec stops the targets with SIGSTOP at their first execve, before the
	// first instruction of the new program; OnExec must let them go.
	StopAtExec bool
	// OnExec is called when the map of a program that a target executed has been
	// read. It may be nil.
	OnExec func(event.PID)
	// RingBytes is the size of the ring buffer; 0 is a default.
	RingBytes int
	// Order says by what changes are put in order.
	Order probe.Order
	// MaxOverhead is how much of the targets' own CPU time tracing may take, 0.05 for
	// 5 %; above that it leaves out what costs most. 0: no limit.
	MaxOverhead float64
	// CheckReplays is probe.Options.CheckReplays.
	CheckReplays bool
	Tool         report.Tool
	// Progress is told in words what takes time after the window. It may be nil.
	Progress func(string)
	// Note is told what went wrong without ending the trace. It may be nil.
	Note    func(doing string, err error)
	Planned time.Duration // 0: open
	// When says what tracing waited for, "" if it was nothing.
	When string
	// Tail is what of the window verdicts leave out.
	Tail verdict.Tail
	// NoResident leaves out how much of each mapping is in memory. ResidentBudget
	// is how long looking that up may take for each address space; 0 is a default.
	NoResident     bool
	ResidentBudget time.Duration
	// Raise is called around what takes CAP_SYS_ADMIN, from a thread that it may
	// change, and returns what puts that back. It may be nil.
	Raise func() (lower func())
	// FilesBudget is how long looking at descriptors may take; 0 is a default.
	FilesBudget time.Duration
	// Record is called once, with what is known at the start, and returns what
	// gets every event as it arrived; the latter's error ends the trace. It may be
	// nil.
	Record func(report.Facts) func(*event.Event) error

	batch int // events that the reader hands on at a time; 0 is a default
}

// A Session is a live trace. Its methods must be called from one goroutine.
type Session struct {
	cfg    Config
	probe  *probe.Probe
	trace  *trace.Trace
	page   uint64
	reader *reader

	symbols *symbol.Symbolizer
	spaces  map[event.SpaceID]*space
	procs   map[event.PID]*process
	roots   map[event.PID]bool // targets that have not ended
	stacks  *stacks
	tables  *tables
	copies  map[stack.ID]*event.Copy // of stacks that are still to come
	facts   report.Facts
	trends  *trends
	thrift  thrift
	costs   *costs
	shared  *shared
	// rootDirs is where processes see their files.
	rootDirs *rootDirs
	views    *views

	finished chan *reading // those made beside the events
	readings int           // of them, those under way

	begin     event.Time
	clock     event.Time // how far the events that were applied have come
	last      probe.Counters
	record    func(*event.Event) error
	recordErr error // the first error of record
}

// Start loads the kernel side and attaches to the targets. When it returns, no
// change of their address spaces goes unseen any more, and the maps at that
// time have been read.
//
// Error: ErrNoTarget without a target; else those of procfs and probe.
func Start(cfg Config) (s *Session, err error) {
	if len(cfg.Targets) == 0 {
		return nil, ErrNoTarget
	}
	host, err := procfs.ReadHost()
	if err != nil {
		return nil, err
	}
	s = &Session{
		cfg: cfg, page: host.PageSize, trace: trace.New(host.PageSize), rootDirs: newRootDirs(), views: newViews(),
		spaces: make(map[event.SpaceID]*space), procs: make(map[event.PID]*process),
		roots: make(map[event.PID]bool), finished: make(chan *reading, maxReadings),
	}
	s.symbols = symbol.NewWith(symbol.Options{Root: s.rootDirs.open, Progress: cfg.Progress}.Environment(os.Getenv))
	s.stacks = newStacks()
	s.trends = newTrends()
	s.copies = make(map[stack.ID]*event.Copy)
	s.costs = newCosts()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	ns, err := procfs.SelfNamespace("pid")
	if err != nil {
		return s, err
	}
	if s.probe, err = probe.Open(probe.Options{
		RingBytes: cfg.RingBytes, PIDNamespace: uint32(ns), CheckReplays: cfg.CheckReplays,
		Order: cfg.Order, Timed: cfg.MaxOverhead > 0,
	}); err != nil {
		return s, err
	}
	s.measureBaseline()
	s.tables = newTables(s.probe)
	for _, p := range cfg.Targets {
		s.prepare(p)
	}
	order, why := s.probe.Order()
	if order == probe.OrderCalls {
		s.trace.Tracker().OrderByCalls()
	}
	s.facts = newFacts(cfg, host)
	s.facts.Overhead.Limit = cfg.MaxOverhead
	s.facts.Kernel.OrderMode, s.facts.Kernel.OrderWhy = string(order), why
	s.facts.Tail = cfg.Tail
	for _, p := range cfg.Targets {
		s.describe(p, 0, event.NoSpace)
	}
	s.shared = noteShared(cfg.Targets)
	s.begin = now()
	s.facts.Begin = s.begin
	if cfg.Record != nil {
		s.record = cfg.Record(s.facts)
	}
	s.reader = startReader(s.probe, cmp.Or(cfg.batch, batchSize))
	if err := s.attach(); err != nil {
		return s, err
	}
	s.startCosts()
	s.ReadWanted()
	s.sample()
	return s, s.recordErr
}

// attach hands the targets over and enters those that are alive.
func (s *Session) attach() error {
	targets := make([]probe.Target, len(s.cfg.Targets))
	for i, p := range s.cfg.Targets {
		targets[i] = probe.Target{Pidfd: p.Pidfd(), Cookie: uint32(i), Follow: s.cfg.Follow, StopAtExec: s.cfg.StopAtExec}
	}
	found, err := s.probe.Add(targets)
	if err != nil {
		return err
	}
	for _, f := range found {
		p := s.cfg.Targets[f.Cookie]
		s.roots[p.PID()] = true
		s.enter(p, 0, f.Space, false)
		s.add(&event.Event{Kind: event.Process, Space: f.Space, PID: p.PID(), Time: now(), Name: p.Comm()})
	}
	if len(found) == 0 {
		return fmt.Errorf("attaching to process %d: %w", s.cfg.Targets[0].PID(), procfs.ErrNoProcess)
	}
	return nil
}

// note tells what went wrong without ending the trace.
func (s *Session) note(doing string, err error) {
	if s.cfg.Note != nil {
		s.cfg.Note(doing, err)
	}
}

// add records an event and applies it.
func (s *Session) add(ev *event.Event) {
	if s.record != nil && s.recordErr == nil {
		s.recordErr = s.record(ev)
	}
	s.trace.Add(ev)
}

// Close detaches and gives back what the session holds.
func (s *Session) Close() error {
	var err error
	for ; s.readings > 0; s.readings-- {
		<-s.finished // it uses what is closed here
	}
	s.costs.close()
	if s.probe != nil {
		err = s.probe.Close()
	}
	if s.reader != nil {
		s.reader.wait()
	}
	for _, sp := range s.spaces {
		sp.close()
	}
	for _, p := range s.procs {
		p.close()
	}
	s.trends.close()
	s.rootDirs.close()
	s.views.close()
	return errors.Join(err, s.symbols.Close())
}

// Trace returns the state. It is the session's own.
func (s *Session) Trace() *trace.Trace { return s.trace }
