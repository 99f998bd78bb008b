package export

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"

	"github.com/google/pprof/profile"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// PprofOptions are the options of Pprof. Filter.Top is ignored.
type PprofOptions struct {
	Filter
	// NoDuration leaves out how long the window was. Stores of profiles take one
	// with a duration for a difference and one without for a state, which is what
	// is outstanding; for a person the duration is shown.
	NoDuration bool
}

// Pprof writes r as a gzip-compressed profile, as pprof and stores of profiles
// read it, in the shape of a Go heap profile (profile.proto in
// github.com/google/pprof): alloc_objects and alloc_space are the mappings and
// bytes that a call path mapped in the window, inuse_objects and inuse_space what
// is outstanding of them, which is shown unless something else is asked for. All
// of it was counted; nothing is a sample. Locations are leaf first.
//
// Every location has a function: of code without a symbol it is the place in its
// file, as in "[libvendor.so.3+0x1234]". Where a file was loaded is not told: in
// the profile each has an address range of its own, at file offsets that are
// right. The functions through which a program calls the system are dropped when
// the profile is shown, so that the flat value is that of their caller.
//
// Samples are labelled with the "call", with the size of their mappings in
// "bytes", with the "kind" of memory (anon, file, shared) and, if there is more
// than one process, with "comm" and where it is certain "pid". Of mappings that
// are gone the kind is not known and the size is an average.
//
// The error wraps ErrOption if o.Sort is unknown, else it is w's.
func Pprof(w io.Writer, r *report.Report, o PprofOptions) error {
	sel, left, err := Select(r, o.Filter.all())
	if err != nil {
		return err
	}
	p := profileOf(sel, &o)
	p.Comments = comments(sel, left)
	if err := p.CheckValid(); err != nil {
		return fmt.Errorf("checking the profile: %w", err)
	}
	if err := compress(w, p); err != nil {
		return fmt.Errorf("writing the profile: %w", err)
	}
	return nil
}

// compress writes p. The head of the gzip stream has no time.
func compress(w io.Writer, p *profile.Profile) (err error) {
	zw := gzip.NewWriter(w)
	defer func() {
		if cerr := zw.Close(); err == nil {
			err = cerr
		}
	}()
	return p.WriteUncompressed(zw)
}

// profileOf returns r as a profile without comments.
func profileOf(r *report.Report, o *PprofOptions) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{
			{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"},
			{Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"},
		},
		DefaultSampleType: "inuse_space",
		PeriodType:        &profile.ValueType{Type: "space", Unit: "bytes"},
		Period:            1,
		DropFrames:        dropFrames,
	}
	if w := &r.Window; w.StartUnix != 0 {
		p.TimeNanos = w.StartUnix + int64(w.Duration) // of the state at the end
	}
	if !o.NoDuration {
		p.DurationNanos = max(0, int64(r.Window.Duration))
	}
	s := sampler{newPlaces(p, r), pidsByComm(r)}
	for i := range r.Paths {
		s.path(&r.Paths[i])
	}
	for i := range r.Released {
		s.path(&r.Released[i])
	}
	s.unlisted(&r.Unlisted)
	return p
}

// whole returns n as profiles hold it.
func whole(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
