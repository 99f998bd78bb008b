package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// dropFrames matches the names of functions that only hand a call on: those of
// C libraries, with their aliases and versions, and those of Go. pprof drops what
// it matches and all that was called from there. It takes the whole name, up to
// the first "(", so that "syscall." is what is left of a method of that package.
var dropFrames = fmt.Sprintf(`_*(GI_+)?(%[1]s)(@.*)?|`+
	`runtime\.(%[1]s|sysMmap|callCgoMmap)(\.func\d+)?|`+
	`(syscall|golang\.org/x/sys/unix)\.(|%[1]s|Mmap|Mremap|Brk|(Raw)?Syscall6?)|`+
	`(internal/)?runtime(/internal)?/syscall(/linux)?\.Syscall6`,
	strings.Join(slices.Sorted(maps.Keys(calls)), "|"))

// maxTargets bounds the processes that comments name.
const maxTargets = 16

// comments says of what and when the profile is, and how far it can be trusted.
func comments(r *report.Report, left LeftOut) []string {
	var out []string
	say := func(format string, args ...any) {
		out = append(out, strings.ReplaceAll(fmt.Sprintf(format, args...), nbsp, " "))
	}
	if v := &r.Tool; v.Name != "" {
		say("tool: %s", printable(strings.Join(nonEmpty(v.Name, v.Version, v.Commit), " ")))
	}
	for i := range r.Targets {
		g := &r.Targets[i]
		if i == maxTargets {
			say("process: %s more", number(uint64(len(r.Targets)-i)))
			break
		}
		say("process: %s", process(g))
	}
	if h := &r.Host; h.Kernel != "" {
		say("host: %s", printable(strings.Join(nonEmpty(h.Name, "Linux "+h.Kernel, h.Arch), ", ")))
	}
	w, q := &r.Window, &r.Quality
	if w.StartUnix != 0 {
		say("window: %s to %s", stamp(w.StartUnix, 0), stamp(w.StartUnix, w.Duration))
	}
	how := ""
	if w.StoppedBy != "" {
		how = " (" + printable(w.StoppedBy) + ")"
	}
	say("window: %s%s", span(w.Duration), how)
	say("trust: %s, %s", lossDetail(q), mapText(q, allGone(r)))
	if n := q.Uncertain; n > 0 {
		say("trust: %s whose path may be wrong", count(n, "mapping"))
	}
	if n := q.Raced.Count; n > 0 {
		say("trust: %s whose owner is uncertain, since threads raced", count(n, "mapping"))
	}
	if s := costText(r); s != "" {
		say("cost: %s", s)
	}
	for _, s := range leftOut(r, left) {
		say("left out: %s", s)
	}
	for _, c := range r.Caveats {
		say("caveat: %s", printable(c))
	}
	return out
}

// process names g by its command line.
func process(g *report.Target) string {
	line := shell(g.Cmdline)
	if line == "" {
		line = g.Exe
	}
	return strings.TrimRight(fmt.Sprintf("%d (%s) %s", g.PID, comm(g.Comm), printable(line)), " ")
}

// leftOut says what the profile does not hold.
func leftOut(r *report.Report, left LeftOut) []string {
	var out []string
	if n := left.Filtered; n.Paths > 0 {
		out = append(out, count(uint64(n.Paths), "path")+" with "+size(n.Bytes)+" outstanding")
	}
	if n := left.Released; n.Paths > 0 {
		out = append(out, count(uint64(n.Paths), "path")+" with nothing outstanding that mapped "+size(n.Bytes))
	}
	if u := &r.Unlisted; u.Stacks > 0 {
		out = append(out, "the names of "+count(u.Stacks, "path")+" with nothing outstanding that mapped "+size(u.MappedBytes))
	}
	return out
}

// allGone reports whether all targets have ended.
func allGone(r *report.Report) bool {
	return len(r.Targets) > 0 && !slices.ContainsFunc(r.Targets, func(g report.Target) bool { return !ended(&g) })
}
