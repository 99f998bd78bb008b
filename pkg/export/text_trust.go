package export

import (
	"fmt"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// lost is the number of events that were not seen, whatever the reason.
func lost(q *report.Quality) uint64 { return q.Lost + q.Missed + q.MapFull }

// agreed returns the bytes on which we and the kernel agree, and the bytes that
// either of us holds for mapped.
func agreed(q *report.Quality) (same, all uint64) {
	return q.VerifiedBytes, max(q.LiveBytes, q.VerifiedBytes+q.ExtraBytes) + q.UnexplainedBytes
}

// sure reports whether nothing was lost and the whole map agrees with the kernel.
func sure(q *report.Quality) bool {
	same, all := agreed(q)
	return q.Verified && same == all && lost(q) == 0 && q.Mismatches == 0 && q.Uncertain == 0 && q.Raced.Count == 0
}

// lossText is the headline's word on losses.
func lossText(q *report.Quality) string {
	s := count(lost(q), "event") + " lost"
	if q.ExactSince > 0 {
		s += " (exact again since " + span(q.ExactSince) + ")"
	}
	return s
}

// lossDetail says where events were lost.
func lossDetail(q *report.Quality) string {
	var why []string
	for _, l := range []struct {
		n    uint64
		what string
	}{
		{q.Lost, "buffer full"}, {q.Missed, "hook skipped by the kernel"}, {q.MapFull, "table full"},
	} {
		if l.n > 0 {
			why = append(why, number(l.n)+nbsp+l.what)
		}
	}
	s := count(lost(q), "event") + " lost"
	if len(why) > 0 {
		s += " (" + strings.Join(why, ", ") + ")"
	}
	return s
}

// mapText is the headline's word on the comparison with the kernel's map.
func mapText(q *report.Quality, gone bool) string {
	switch {
	case q.Verified:
		return "map verified " + share(agreed(q))
	case gone:
		return "map not verified (the process had ended)"
	}
	return "map not verified"
}

// mapDetail says what the comparison with the kernel's map gave.
func mapDetail(q *report.Quality, gone bool) string {
	switch {
	case !q.Verified && gone:
		return "The process ended before its map could be compared with the kernel's."
	case !q.Verified:
		return "The kernel's map could not be read at the end, so nothing was compared with it."
	}
	same, all := agreed(q)
	if same == all {
		return fmt.Sprintf("Map verified %s: all %s agree with the kernel's own map.",
			share(same, all), size(all))
	}
	var not []string
	if q.UnexplainedBytes > 0 {
		not = append(not, size(q.UnexplainedBytes)+" is mapped that no event explains")
	}
	if q.ExtraBytes > 0 {
		not = append(not, size(q.ExtraBytes)+" that should be mapped is not")
	}
	if len(not) == 0 {
		not = append(not, size(all-same)+" could not be compared")
	}
	return fmt.Sprintf("Map verified %s: %s of %s agree with the kernel's own map; %s.",
		share(same, all), size(same), size(all), strings.Join(not, ", and "))
}

// stackDetail says what is missing from the call paths, or nothing.
func stackDetail(q *report.Quality) string {
	var not []string
	if q.StacksMissing > 0 {
		not = append(not, count(q.StacksMissing, "outstanding mapping")+" without a stack")
	}
	if q.StacksTruncated > 0 {
		not = append(not, count(q.StacksTruncated, "stack")+" cut short")
	}
	if q.StacksIncomplete > 0 {
		not = append(not, count(q.StacksIncomplete, "stack")+" not followed to the root")
	}
	if q.FramesGuessed > 0 {
		not = append(not, count(q.FramesGuessed, "frame")+" guessed by frame pointers")
	}
	if q.FramesUnresolved > 0 {
		not = append(not, count(q.FramesUnresolved, "frame")+" without a symbol")
	}
	if len(not) == 0 {
		return ""
	}
	return "Call stacks: " + strings.Join(not, ", ") + "."
}

func differ(n uint64) string {
	switch n {
	case 0:
		return "equal"
	case 1:
		return "1" + nbsp + "differed"
	}
	return number(n) + nbsp + "differed"
}
