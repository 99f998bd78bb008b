package report_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/report"
)

func triggers(t testing.TB, texts ...string) []report.Trigger {
	t.Helper()
	var out []report.Trigger
	for _, s := range texts {
		x, err := report.ParseTrigger(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// texts says what was found, with a "!" before what holds.
func texts(found []report.Finding) []string {
	var out []string
	for _, f := range found {
		s := f.Text
		if f.Holds {
			s = "!" + s
		}
		out = append(out, s)
	}
	return out
}

func TestWatch(t *testing.T) {
	w := report.Watch{Triggers: triggers(t, "rss>2G", "virt>=1T", "swap > 0", "mappings>60000", "fds=7", "threads<3")}
	u := report.Usage{RSS: 3 << 30, Virt: 1 << 40, Mappings: 60001, FDs: 7, Threads: 3, KnowsMappings: true}
	want := []string{"!rss is 3.0 GiB", "!virt is 1.0 TiB", "swap is 0 B", "!mappings is 60001", "fds is not known yet", "threads is 3"}
	if diff := cmp.Diff(want, texts(w.Look(5, u))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u.KnowsFDs = true
	want[4] = "!fds is 7"
	if diff := cmp.Diff(want, texts(w.Look(6, u))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A rate is that over the last ten seconds, and unknown before them.
func TestWatchRates(t *testing.T) {
	w := report.Watch{Triggers: triggers(t, "rss-rate>1M", "virt-rate<0")}
	for i := range event.Time(31) {
		u := report.Usage{RSS: uint64(max(0, i-10)) << 20, Virt: uint64(40-i) << 20}
		if i >= 20 {
			u.RSS += uint64(i-20) << 20
		}
		got := texts(w.Look(i*sec, u))
		want := map[event.Time][]string{
			0:  {"rss-rate is not known yet", "virt-rate is not known yet"},
			9:  {"rss-rate is not known yet", "virt-rate is not known yet"},
			10: {"rss-rate is 0 B/s", "!virt-rate is -1.0 MiB/s"},
			20: {"rss-rate is 1.0 MiB/s", "!virt-rate is -1.0 MiB/s"},
			25: {"!rss-rate is 1.5 MiB/s", "!virt-rate is -1.0 MiB/s"},
			30: {"!rss-rate is 2.0 MiB/s", "!virt-rate is -1.0 MiB/s"},
		}[i]
		if want != nil {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %d s (-want +got):\n%s", i, diff)
			}
		}
	}
}

func TestTriggerNeeds(t *testing.T) {
	for text, want := range map[string][2]bool{"rss>1": {}, "mappings>1": {true, false}, "fds>1": {false, true}, "virt-rate>1": {}} {
		m, f := triggers(t, text)[0].Needs()
		if got := [2]bool{m, f}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func FuzzTrigger(f *testing.F) {
	for _, s := range []string{"rss>2G", "virt-rate >= 1.5M/s", "mappings>5K", "fds=", "<", "rss>1e9", "swap>.", "rss>=<1", "rss\x00>1"} {
		f.Add(s, uint64(5), uint64(1<<40))
	}
	f.Fuzz(func(t *testing.T, text string, a, b uint64) {
		x, err := report.ParseTrigger(text)
		if err != nil {
			var bad *report.ConditionError
			if !errors.As(err, &bad) || bad.Text != text || bad.Want == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		if x.String() != text {
			t.Fatalf("%q became %q", text, x)
		}
		w := report.Watch{Triggers: []report.Trigger{x}}
		w.Look(0, report.Usage{RSS: a, Virt: a, KnowsMappings: true, KnowsFDs: true})
		found := w.Look(100*sec, report.Usage{RSS: b, Virt: b, Swap: b, Mappings: b, FDs: a, Threads: a, KnowsMappings: true, KnowsFDs: true})
		if len(found) != 1 || !found[0].Known || found[0].Text == "" {
			t.Fatalf("%q found %+v", text, found)
		}
	})
}
