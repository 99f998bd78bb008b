package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/track"
)

// TrendFacts are what was sampled through the window, about once a second.
type TrendFacts struct {
	Processes []ProcessSeries
	System    Series
}

// A ProcessSeries is the samples of one process, since it executed its program.
type ProcessSeries struct {
	PID event.PID
	Series
}

// A Trend says how sizes went through the window.
type Trend struct {
	Processes []ProcessTrend // by PID; those that were sampled
	System    Lines
	// SystemSamples is what System sums up. It is the facts' own.
	SystemSamples *Series
}

// A ProcessTrend says how the sizes of one process went.
type ProcessTrend struct {
	PID   event.PID
	Comm  string
	Lines Lines
	// Samples is what Lines sum up. It is the facts' own.
	Samples *Series
	// Mappings is where the number of mappings leads.
	Mappings MappingsForecast
	// Size says what made the address space grow, Resident what made RSS grow.
	Size, Resident Growth
	// OldRSS is how much of RSS at the end is in memory that was mapped before the
	// window, in bytes; with Resident.Unknown it is at most that.
	OldRSS uint64
}

// Lines are the lines of several metrics.
type Lines map[Metric]Line

// A Line sums up one metric through the window.
type Line struct {
	First, Last, Min, Max uint64
	// PerSecond is the slope of the line that fits best (least squares), in units of
	// the metric.
	PerSecond float64
}

// A MappingsForecast says when a process will have more mappings than it may.
type MappingsForecast struct {
	// Now is the number of mappings at the end of the window as the kernel counts
	// them, that of our own parts if its map could not be read; Limit is
	// vm.max_map_count, 0 if that is not known. At the limit mmap fails with ENOMEM.
	Now, Limit uint64
	// PerSecond is how many came in a second of the window, net.
	PerSecond float64
	// Due says that at this rate the limit is reached, In nanoseconds after the end
	// of the window.
	Due bool
	In  event.Time
}

// A Growth says what a size grew by in the window and what that is made of. All
// are bytes, and Change is the sum of the next four.
type Growth struct {
	Change int64
	// Paths is what the call paths mapped and still hold, without the heap; Heap is
	// the same of brk.
	Paths, Heap int64
	// Old is about what was mapped before the window. Of the address space it is
	// what was given back (negative); of RSS all that the paths do not explain: pages
	// that were touched for the first time, given back or swapped in the window.
	Old int64
	// Other is what the kernel mapped by itself, such as a stack that grew. RSS has
	// none.
	Other int64
	// Unknown is how much the paths hold whose residence is not known; what of it is
	// in memory is in Old. Of the address space it is 0.
	Unknown uint64
}

// Explained returns how much of Change is the paths' and the heap's, in percent;
// 0 if nothing grew. It is more than 100 if something else shrank, and at least
// what it says if part is Unknown.
func (g *Growth) Explained() float64 {
	if g.Change <= 0 {
		return 0
	}
	return 100 * float64(g.Paths+g.Heap) / float64(g.Change)
}

// trend sums up what was sampled.
func (b *builder) trend(r *Report) {
	f := &b.facts.Trend
	r.Trend = Trend{System: linesOf(&f.System), SystemSamples: &f.System}
	shares := b.shares()
	for i := range f.Processes {
		s := &f.Processes[i]
		p := b.tr.Processes()[s.PID]
		if p == nil || b.tr.Spaces()[p.Space] == nil {
			continue
		}
		sp := b.tr.Spaces()[p.Space]
		t := ProcessTrend{PID: s.PID, Comm: p.Comm, Lines: linesOf(&s.Series), Samples: &s.Series}
		t.Mappings = b.forecast(sp, t.Lines[Parts])
		share := shares[p.Space]
		t.Size, t.Resident = share.size, share.resident
		t.Size.finish(int64(sp.Live.Bytes())-int64(sp.Before), sp)
		rss := t.Lines[RSS]
		t.Resident.Change = int64(rss.Last) - int64(rss.First)
		t.Resident.Old = t.Resident.Change - t.Resident.Paths - t.Resident.Heap
		t.OldRSS = rss.Last - min(rss.Last, uint64(t.Resident.Paths+t.Resident.Heap))
		r.Trend.Processes = append(r.Trend.Processes, t)
	}
	slices.SortFunc(r.Trend.Processes, func(x, y ProcessTrend) int { return cmp.Compare(x.PID, y.PID) })
}

// finish completes the growth of an address space.
func (g *Growth) finish(change int64, sp *track.Space) {
	var old uint64
	for e := range sp.Live.All() {
		if o := e.Value.Origin; o == track.Before || o == track.Inherited {
			old += e.Len()
		}
	}
	g.Change = change
	g.Old = int64(old) - int64(sp.Before)
	g.Other = change - g.Paths - g.Heap - g.Old
}

// A share is what calls seen in one address space made of its growth.
type share struct{ size, resident Growth }

// shares returns the shares of the address spaces.
func (b *builder) shares() map[event.SpaceID]share {
	out := make(map[event.SpaceID]share)
	b.outstanding(func(sp *track.Space, m *track.Mapping) {
		if m.Origin != track.Observed {
			return
		}
		s := out[sp.ID]
		r := b.resident[m]
		if m.Huge > 0 { // no part of RSS
			r.Present = 0
		}
		if m.Kind == event.Brk {
			s.size.Heap += int64(m.Live)
			s.resident.Heap += int64(r.Present)
		} else {
			s.size.Paths += int64(m.Live)
			s.resident.Paths += int64(r.Present)
		}
		s.resident.Unknown += m.Live - min(m.Live, r.Scanned)
		out[sp.ID] = s
	})
	return out
}

// forecast says where the number of mappings of a space leads. Without two
// readings of the kernel's map it goes by our own count.
func (b *builder) forecast(sp *track.Space, parts Line) MappingsForecast {
	f := MappingsForecast{Now: uint64(sp.Newest.N), Limit: b.facts.Host.MaxMapCount}
	if took := sp.Newest.Time - sp.First.Time; took > 0 && !sp.Ended {
		f.PerSecond = float64(sp.Newest.N-sp.First.N) / (float64(took) / 1e9)
	} else {
		f.Now, f.PerSecond = uint64(sp.Live.Len()), parts.PerSecond
	}
	if f.PerSecond <= 0 || f.Limit == 0 {
		return f
	}
	const never = 1e18 // ns, 31 years
	left := float64(f.Limit) - min(float64(f.Now), float64(f.Limit))
	if in := left / f.PerSecond * 1e9; in < never {
		f.Due, f.In = true, event.Time(in)
	}
	return f
}

// linesOf sums up every metric of a series.
func linesOf(s *Series) Lines {
	out := make(Lines, len(s.Values))
	for _, m := range slices.Sorted(maps.Keys(s.Values)) {
		if v := s.Values[m]; len(v) > 0 && len(v) == len(s.Times) {
			out[m] = Line{First: v[0], Last: v[len(v)-1], Min: slices.Min(v), Max: slices.Max(v), PerSecond: slope(s.Times, v)}
		}
	}
	return out
}

// slope returns the slope of the line that fits best, per second; 0 for fewer
// than two moments. The conversions keep a machine from fusing operations, so
// that all round alike.
func slope(times []event.Time, values []uint64) float64 {
	var sumT, sumV float64
	for i := range times {
		sumT += float64(times[i]-times[0]) / 1e9
		sumV += float64(values[i])
	}
	n := float64(len(times))
	meanT, meanV := sumT/n, sumV/n
	var up, down float64
	for i := range times {
		dt := float64(times[i]-times[0])/1e9 - meanT
		up += float64(dt * (float64(values[i]) - meanV))
		down += float64(dt * dt)
	}
	if down == 0 {
		return 0
	}
	return up / down
}
