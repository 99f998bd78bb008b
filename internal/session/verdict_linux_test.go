package session

import (
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/stack"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

var verdictWindow = flag.Duration("window", 10*time.Second, "the window of TestVerdicts")

// none is the verdict on a habit that has nothing outstanding.
const none verdict.Kind = "nothing left"

// verdicts in the order of the matrix.
var allVerdicts = []verdict.Kind{verdict.Leak, verdict.Growing, verdict.Cache, verdict.Young, verdict.Once, none}

// unsure are leaks that a window shorter than sureWindow may show as growth: one is
// slow, and one keeps a few mappings of many that live long.
var unsure = []string{"leak_slower", "leak_some_random"}

const sureWindow = 30 * time.Second

// A subject is a program of which it is known whether it leaks.
type subject struct {
	name  string
	leaks bool
	pids  []event.PID
	paths []report.Path // that are its habit's
}

// TestVerdicts traces programs with known habits, all at once and each in a
// process of its own, and unmodified servers that are healthy. It prints which
// verdicts those that leak and those that do not have got. No healthy program
// may be called leaking, and every leak has to be found:
//
//	go test ./internal/session -run TestVerdicts -v -window 30s
func TestVerdicts(t *testing.T) {
	fixture := testutil.Compile(t, "verdicts.c", "-O2")
	var subjects []*subject
	var fixtures []*testutil.Proc
	for _, name := range habits(t, fixture) {
		p := testutil.Start(t, fixture, name)
		fixtures = append(fixtures, p)
		subjects = append(subjects, &subject{name: name, leaks: strings.HasPrefix(name, "leak_"), pids: []event.PID{event.PID(p.PID())}})
	}
	subjects = append(subjects, healthy(t)...)
	r := watch(t, subjects, func() {
		for _, p := range fixtures {
			p.Send("go")
		}
	})
	assign(r, subjects)
	t.Logf("%d programs, %d of them unmodified\n%s", len(subjects), len(subjects)-len(fixtures), matrix(subjects))
	for _, s := range subjects {
		switch got := s.verdict(); {
		case s.leaks && got != verdict.Leak && !(got == verdict.Growing && *verdictWindow < sureWindow && slices.Contains(unsure, s.name)):
			t.Errorf("%s leaks, and the verdict is %q: %s", s.name, got, s.why())
		case !s.leaks && got == verdict.Leak:
			t.Errorf("%s does not leak, and the verdict is %q: %s", s.name, got, s.why())
		case !s.leaks && got == verdict.Growing:
			t.Logf("%s does not leak, and the verdict is %q: %s", s.name, got, s.why())
		}
	}
}

// habits returns the names of the fixture's habits.
func habits(t *testing.T, fixture string) []string {
	t.Helper()
	out, err := exec.Command(fixture).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// watch traces all subjects for the window; begin lets them work.
func watch(t *testing.T, subjects []*subject, begin func()) *report.Report {
	t.Helper()
	cfg := Config{Planned: *verdictWindow}
	for _, s := range subjects {
		for i, pid := range s.pids {
			p, err := procfs.Open(pid)
			if err != nil && i > 0 {
				continue // a child that has just ended
			}
			if err != nil {
				t.Fatalf("opening %s: %v", s.name, err)
			}
			t.Cleanup(func() { p.Close() })
			cfg.Targets = append(cfg.Targets, p)
		}
	}
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	begin()
	why, err := s.Run(nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Settle(why)
	return finalReport(s)
}

// assign gives each subject the paths of its process. Those of one program and
// function are one path for all processes, so their mappings tell whose they are.
func assign(r *report.Report, subjects []*subject) {
	for _, p := range r.Paths {
		for _, s := range subjects {
			if slices.ContainsFunc(p.Mappings, func(m report.Mapping) bool { return slices.Contains(s.pids, m.PID) }) {
				s.paths = append(s.paths, p)
			}
		}
	}
}

// verdict returns the worst verdict on the subject's paths.
func (s *subject) verdict() verdict.Kind {
	worst := none
	for i := range s.paths {
		if k := s.paths[i].Verdict.Kind; verdict.Compare(k, worst) < 0 {
			worst = k
		}
	}
	return worst
}

// why returns the reasons for the verdicts.
func (s *subject) why() string {
	var b strings.Builder
	for i := range s.paths {
		p := &s.paths[i]
		fmt.Fprintf(&b, "\n\t%s, %d bytes, owner %q: %s\n\t%s", p.Verdict.Kind, p.Bytes, p.Owner.Name, p.Verdict.Why, names(p.Frames))
	}
	return b.String()
}

func names(frames []stack.Frame) string {
	var out []string
	for i := range frames {
		out = append(out, frames[i].Function)
	}
	return strings.Join(out, " < ")
}

// matrix draws how many of each truth got which verdict, and who.
func matrix(subjects []*subject) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s", "")
	for _, k := range allVerdicts {
		fmt.Fprintf(&b, "%13s", k)
	}
	for _, leaks := range []bool{true, false} {
		fmt.Fprintf(&b, "\n%-10s", map[bool]string{true: "leaks", false: "healthy"}[leaks])
		for _, k := range allVerdicts {
			fmt.Fprintf(&b, "%13d", len(called(subjects, leaks, k)))
		}
	}
	for _, leaks := range []bool{true, false} {
		for _, k := range allVerdicts {
			if who := called(subjects, leaks, k); len(who) > 0 {
				fmt.Fprintf(&b, "\n%s, called %s: %s", map[bool]string{true: "leaks", false: "healthy"}[leaks], k, strings.Join(who, " "))
			}
		}
	}
	return b.String()
}

// called returns the subjects of a truth with a verdict.
func called(subjects []*subject, leaks bool, k verdict.Kind) []string {
	var out []string
	for _, s := range subjects {
		if s.leaks == leaks && s.verdict() == k {
			out = append(out, s.name)
		}
	}
	return out
}
