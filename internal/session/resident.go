package session

import (
	"errors"
	"io/fs"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// Looking up what is in memory may take residentBudget for each address space, so
// that a report does not wait, and residentSpaces times that for all together.
const (
	residentBudget = 500 * time.Millisecond
	residentSpaces = 4
)

// residence looks up how much of the outstanding mappings is in memory, those of
// the largest call paths first.
func (s *Session) residence() report.ResidenceFacts {
	if s.cfg.NoResident {
		return report.ResidenceFacts{Off: true}
	}
	defer keepAhead()() // while page tables are read the target cannot map: not to wait for a processor
	budget := residentBudget
	if s.cfg.ResidentBudget > 0 {
		budget = s.cfg.ResidentBudget
	}
	start := time.Now()
	end := start.Add(residentSpaces * budget)
	f := report.ResidenceFacts{Budget: event.Time(budget)}
	ids, ranges := bySpace(report.Pieces(s.trace))
	for _, id := range ids {
		parts, err := s.resident(id, ranges[id], min(budget, time.Until(end)))
		if errors.Is(err, fs.ErrPermission) {
			f.Denied = append(f.Denied, id)
		}
		if len(parts) > 0 {
			f.Spaces = append(f.Spaces, report.NewSpaceResidence(id, parts, s.page))
		}
	}
	f.Lazy = s.lazies()
	f.Took = event.Time(time.Since(start))
	return f
}

// lazies looks up what is in memory only until the kernel needs it, of the processes
// that gave back much by MADV_FREE.
func (s *Session) lazies() []report.SpaceLazy {
	var out []report.SpaceLazy
	for _, id := range report.Lazy(s.trace) {
		sp, state := s.spaces[id], s.trace.Tracker().Spaces()[id]
		if sp == nil || sp.proc == nil || state == nil || state.Ended {
			continue
		}
		found, err := sp.proc.LazyFree()
		if err != nil {
			if sp.proc.Alive() && !errors.Is(err, fs.ErrPermission) { // that Denied tells
				s.note("looking up what MADV_FREE gave back", err)
			}
			continue
		}
		parts := make([]report.LazyPart, len(found))
		for i, p := range found {
			parts[i] = report.LazyPart(p)
		}
		out = append(out, report.NewSpaceLazy(id, parts, s.page))
	}
	return out
}

// bySpace sorts pieces by their address spaces, which stay in the order of the
// first piece of each.
func bySpace(pieces []report.Piece) (ids []event.SpaceID, ranges map[event.SpaceID][]interval.Range) {
	ranges = make(map[event.SpaceID][]interval.Range)
	for _, p := range pieces {
		if ranges[p.Space] == nil {
			ids = append(ids, p.Space)
		}
		ranges[p.Space] = append(ranges[p.Space], p.Range)
	}
	return ids, ranges
}

// resident returns the residence of those ranges that were reached within budget,
// the last perhaps in part. Its error is fs.ErrPermission if none may be looked at.
func (s *Session) resident(id event.SpaceID, ranges []interval.Range, budget time.Duration) ([]report.Resident, error) {
	sp, state := s.spaces[id], s.trace.Tracker().Spaces()[id]
	if sp == nil || sp.proc == nil || state == nil || state.Ended {
		return nil, nil
	}
	found, err := sp.proc.Resident(ranges, procfs.ResidentScan{Budget: budget})
	if err != nil && sp.proc.Alive() {
		s.note("looking up what is in memory", err)
	}
	parts := make([]report.Resident, 0, len(ranges))
	for i, r := range found {
		if r.Scanned > 0 {
			parts = append(parts, report.Resident{Range: interval.Of(ranges[i].Start, r.Scanned), Residence: report.Residence(r)})
		}
	}
	return parts, err
}
