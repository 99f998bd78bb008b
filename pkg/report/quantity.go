package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// A unit is what a quantity counts.
type unit uint8

const (
	things unit = iota
	bytes
	bytesPerSecond
)

// A quantity is a number of a report that a Condition may name.
type quantity struct {
	name  string
	about string
	unit  unit
	// value returns the number and how much more it may be.
	value func(*Report) (n, more float64)
	// missing says of what may be more that it is not known; "" if nothing is.
	missing string
}

const (
	noResidence = "of more it is not known whether it is in memory"
	notLooked   = "of other shared memory it is not known whether anybody uses it"
)

// quantities are in the order of help texts.
var quantities = []quantity{
	{"leaked", "address space that call paths leak, in memory or not", bytes, byVerdict(verdict.Leak), ""},
	{"leaked-resident", "how much of these is in memory", bytes, leakedResident, noResidence},
	{"growing", "address space of call paths that may leak", bytes, byVerdict(verdict.Growing), ""},
	{"outstanding", "bytes mapped in the window and not unmapped", bytes, exactly(func(r *Report) uint64 { return r.Totals.OutstandingBytes }), ""},
	{"resident", "how much of these is in memory", bytes, func(r *Report) (float64, float64) {
		return float64(r.Totals.Resident.Present), float64(r.Quality.ResidentUnknown)
	}, noResidence},
	{"swapped", "how much of these is in swap", bytes, func(r *Report) (float64, float64) {
		return float64(r.Totals.Resident.Swapped), float64(r.Quality.ResidentUnknown)
	}, noResidence},
	{"reserved", "how much of these is of reservations", bytes, exactly(func(r *Report) uint64 { return r.Totals.Commit.Reserved }), ""},
	{"committed", "how much of what is reserved may be touched", bytes, exactly(func(r *Report) uint64 { return r.Totals.Commit.Committed }), ""},
	{"left-behind", "bytes of shared memory made in the window that nobody uses", bytes, leftBehind, notLooked},
	{"rate", "outstanding bytes per second of the window", bytesPerSecond, rate, ""},
	{"count", "outstanding mappings", things, exactly(func(r *Report) uint64 { return r.Totals.OutstandingCount }), ""},
	{"mappings", "all mappings of the process that has most", things, exactly(mostMappings), ""},
	{"failed", "calls that failed", things, exactly(func(r *Report) uint64 { return r.Totals.Failed }), ""},
	{"lost", "records that were lost", things, exactly(func(r *Report) uint64 {
		return r.Quality.Lost + r.Quality.Missed + r.Quality.MapFull
	}), ""},
}

func exactly(n func(*Report) uint64) func(*Report) (float64, float64) {
	return func(r *Report) (float64, float64) { return float64(n(r)), 0 }
}

func byVerdict(k verdict.Kind) func(*Report) (float64, float64) {
	return exactly(func(r *Report) uint64 {
		var n uint64
		for i := range r.Paths {
			if r.Paths[i].Verdict.Kind == k {
				n += r.Paths[i].Growth()
			}
		}
		return n
	})
}

func leakedResident(r *Report) (n, more float64) {
	for i := range r.Paths {
		if p := &r.Paths[i]; p.Verdict.Kind == verdict.Leak {
			n += float64(p.Resident.Present)
			more += float64(p.Bytes - min(p.Bytes, p.Resident.Scanned))
		}
	}
	return n, more
}

// leftBehind counts objects in /dev/shm, too, which may be of another process of the
// same user.
func leftBehind(r *Report) (n, more float64) {
	for i := range r.Left {
		n += float64(r.Left[i].Bytes)
	}
	if r.Quality.LeftUnknown {
		more = math.Inf(1)
	}
	return n, more
}

func rate(r *Report) (float64, float64) {
	if r.Window.Duration <= 0 {
		return 0, 0
	}
	return float64(r.Totals.OutstandingBytes) / (float64(r.Window.Duration) / 1e9), 0
}

// mostMappings goes by the kernel's count where that is known.
func mostMappings(r *Report) uint64 {
	var most uint64
	counted := make(map[event.PID]bool)
	for i := range r.Trend.Processes {
		p := &r.Trend.Processes[i]
		counted[p.PID] = true
		most = max(most, p.Mappings.Now)
	}
	for i := range r.Targets {
		if t := &r.Targets[i]; !counted[t.PID] {
			most = max(most, t.Mappings)
		}
	}
	return most
}

// Quantities returns what a Condition may name, each with what it is, in the
// order for help texts.
func Quantities() [][2]string {
	out := make([][2]string, len(quantities))
	for i, q := range quantities {
		out[i] = [2]string{q.name, q.about}
	}
	return out
}

// want says what a number of the unit looks like, for the quantity %s.
func (u unit) want() string {
	switch u {
	case bytes:
		return "a size for %s, as in 10M"
	case bytesPerSecond:
		return "a size per second for %s, as in 1M"
	}
	return "a whole number for %s, as in 50000"
}

// parse returns the number in s, and whether it is one.
func (u unit) parse(s string) (n float64, ok bool) {
	if u == things {
		n, err := strconv.ParseUint(s, 10, 63)
		return float64(n), err == nil
	}
	num := strings.ToUpper(s)
	if u == bytesPerSecond {
		num = strings.TrimSuffix(num, "/S")
	}
	num, iec := strings.CutSuffix(num, "IB")
	if !iec {
		num = strings.TrimSuffix(num, "B")
	}
	shift := 0
	if i := strings.LastIndexAny(num, "KMGT"); i >= 0 && i == len(num)-1 {
		shift, num = 10*(1+strings.IndexByte("KMGT", num[i])), num[:i]
	}
	if strings.Trim(num, "0123456789.") != "" || iec && shift == 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(num, 64)
	return math.Ldexp(f, shift), err == nil
}

// text writes n for people.
func (u unit) text(n float64) string {
	if u == things {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	if n < 0 {
		return "-" + u.text(-n)
	}
	name, per := "B", ""
	if u == bytesPerSecond {
		per = "/s"
	}
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n < 1024 {
			break
		}
		n, name = n/1024, next
	}
	if name == "B" {
		return fmt.Sprintf("%.0f B%s", n, per)
	}
	return fmt.Sprintf("%.1f %s%s", n, name, per)
}
