package procfs

import (
	"errors"
	"testing"
)

func TestParseUsage(t *testing.T) {
	status := "Name:\tx\nVmPeak:\t  999 kB\nVmSize:\t  200 kB\nRssAnon:\t  10 kB\nRssFile:\t  20 kB\nRssShmem:\t  3 kB\n" +
		"VmPTE:\t  44 kB\nVmSwap:\t  7 kB\nHugetlbPages:\t 2048 kB\nThreads:\t12\n"
	stat := "7 (a) b) S 1 7 7 0 -1 4194560 111 222 333 444 5 6 0 0 20 0 1 0 99 4096 7 18446744073709551615\n"
	got, err := parseUsage([]byte(status), []byte(stat))
	want := Usage{Size: 200 << 10, RSSAnon: 10 << 10, RSSFile: 20 << 10, RSSShmem: 3 << 10, Swap: 7 << 10,
		PageTables: 44 << 10, Hugetlb: 2 << 20, Threads: 12, MinorFaults: 111, MajorFaults: 333, CPU: 110e6}
	if err != nil || got != want || got.RSS() != 33<<10 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := parseUsage([]byte("Name:\tx\nState:\tZ (zombie)\n"), []byte(stat)); !errors.Is(err, ErrNoProcess) {
		t.Errorf("a zombie: %v", err)
	}
	if _, err := parseUsage([]byte(status), []byte("7 (x) S 1")); err == nil {
		t.Error("a short stat passed")
	}
}

func TestParseHostUsage(t *testing.T) {
	meminfo := "MemTotal:  100 kB\nMemAvailable:   50 kB\nSwapFree:  0 kB\nCommitLimit:  70 kB\nCommitted_AS:  60 kB\nHugePages_Total:  0\n"
	got := parseHostUsage([]byte(meminfo), []byte("nr_free_pages 9\npswpin 5\npswpout 6\n"))
	want := HostUsage{Available: 50 << 10, Committed: 60 << 10, CommitLimit: 70 << 10, SwappedIn: 5, SwappedOut: 6}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
