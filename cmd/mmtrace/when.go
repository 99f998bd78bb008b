package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

// pollEvery is the distance of looks at a process that is waited for. A look that
// takes long makes it pollShare times as much, so that waiting costs little.
const (
	pollEvery = time.Second
	pollShare = 100
)

// A triggersValue collects conditions that tracing waits for, one a flag.
type triggersValue []report.Trigger

func (v *triggersValue) Set(s string) error {
	t, err := report.ParseTrigger(s)
	var bad *report.ConditionError
	if errors.As(err, &bad) {
		return &wantError{want: bad.Want, mean: quantityMeant(bad, report.Gauges())}
	}
	*v = append(*v, t)
	return nil
}

func (v *triggersValue) String() string {
	words := make([]string, len(*v))
	for i, t := range *v {
		words[i] = t.String()
	}
	return strings.Join(words, " or ")
}

func (*triggersValue) Type() string { return "EXPR" }

// checkWhen checks that there is a process to wait for.
func (o *options) checkWhen() error {
	if len(o.when) > 0 && len(o.command) > 0 {
		return &usageError{msg: "--when waits for a process that runs already, and a command after -- is traced from its start"}
	}
	return nil
}

// A goneError says that what was waited for can no longer happen.
type goneError struct {
	name, when string
	found      string // at the last look, "" if there was none
}

func (e *goneError) Error() string {
	s := fmt.Sprintf("%s ended before %s held", e.name, e.when)
	if e.found != "" {
		s += " (" + was(e.found) + ")"
	}
	return s + ": nothing was traced"
}

// A watched is a target that is waited for.
type watched struct {
	*procfs.Process
	usage *procfs.UsageReader
	watch report.Watch
	found string // at the newest look: "rss is 1.2 GiB"
}

// An arming waits for a condition.
type arming struct {
	when  triggersValue
	list  []*watched // those that have not ended
	began time.Time
	last  *watched // the one that ended last
}

// arm waits until a condition of --when holds for a target, and attaches to nothing
// before. Targets that end meanwhile are taken from j. It returns false if the user
// has stopped it.
func (j *job) arm(ctx context.Context) (fired bool, err error) {
	if len(j.when) == 0 {
		return true, nil
	}
	a := &arming{when: j.when, began: time.Now()}
	defer a.close()
	for _, p := range j.targets {
		usage, err := p.OpenUsage()
		if err != nil {
			return false, err
		}
		a.list = append(a.list, &watched{Process: p, usage: usage, watch: report.Watch{Triggers: j.when}})
	}
	j.progress.wait(j.what(), j.when.String())
	for {
		looked := time.Now()
		fires := a.look(j.progress)
		if fires != "" {
			j.progress.note("%s after %s", fires, seconds(time.Since(a.began)))
			j.targets, j.fired = a.left(), j.when.String()+": "+fires
			return true, nil
		}
		if len(a.list) == 0 {
			j.progress.clear()
			return false, &goneError{a.last.name(), j.when.String(), a.last.found}
		}
		j.progress.show(seconds(time.Since(a.began)) + "  waiting until " + j.when.String() + ": " + a.found())
		if !j.pause(ctx, max(pollEvery, pollShare*time.Since(looked)), a) {
			j.progress.note("mmtrace: stopped before %s held: %s; nothing was traced", j.when.String(), was(a.found()))
			return false, nil
		}
	}
}

// pause waits for a time, and tells what was found at each USR1. It returns false
// if there is to be no other look.
func (j *job) pause(ctx context.Context, d time.Duration, a *arming) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-j.interim:
			j.progress.note("waiting until %s: %s", j.when.String(), a.found())
		case <-j.stop:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// look reads what each target uses, and drops those that have ended. It returns what
// it found of one for which a condition holds, "" if there is none.
func (a *arming) look(p *progress) (fires string) {
	var left []*watched
	for _, w := range a.list {
		u, err := w.read(a.when)
		if err != nil {
			_ = w.usage.Close() // it was only read
			a.last = w
			continue
		}
		left = append(left, w)
		var texts []string
		for _, f := range w.watch.Look(event.Time(time.Since(a.began)), u) {
			if f.Holds && fires == "" {
				fires = w.name() + ": " + f.Text
			}
			texts = append(texts, f.Text)
		}
		w.found = strings.Join(texts, ", ")
	}
	if len(left) < len(a.list) && len(left) > 0 {
		p.note("%s has ended", a.last.name())
	}
	a.list = left
	return fires
}

// read looks up what the triggers are about. Its error means that the process has
// ended.
func (w *watched) read(when triggersValue) (report.Usage, error) {
	u, err := w.usage.Read()
	if err != nil {
		return report.Usage{}, err
	}
	out := report.Usage{RSS: u.RSS(), Virt: u.Size, Swap: u.Swap, Threads: u.Threads}
	for _, t := range when {
		mappings, fds := t.Needs()
		if mappings && !out.KnowsMappings {
			if out.Mappings, err = w.CountMappings(); err != nil {
				return out, err
			}
			out.KnowsMappings = true
		}
		if fds && !out.KnowsFDs {
			if out.FDs, err = w.CountFDs(); err != nil {
				return out, err
			}
			out.KnowsFDs = true
		}
	}
	return out, nil
}

func (w *watched) name() string { return fmt.Sprintf("%s (%d)", oneLine(w.Comm()), w.PID()) }

// found says what was found at the newest look, of each target by name if there are
// several.
func (a *arming) found() string {
	if len(a.list) == 1 {
		return a.list[0].found
	}
	var texts []string
	for _, w := range a.list {
		texts = append(texts, w.name()+": "+w.found)
	}
	return strings.Join(texts, "; ")
}

// left returns the targets that have not ended.
func (a *arming) left() []*procfs.Process {
	var out []*procfs.Process
	for _, w := range a.list {
		out = append(out, w.Process)
	}
	return out
}

func (a *arming) close() {
	for _, w := range a.list {
		_ = w.usage.Close() // it was only read
	}
}

// was puts what was found into the past.
func was(found string) string { return strings.ReplaceAll(found, " is ", " was ") }
