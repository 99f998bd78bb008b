package procfs

import (
	"runtime"
	"strings"
	"testing"
)

func TestReadHost(t *testing.T) {
	h, err := ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	if h.Name == "" || h.Kernel == "" || h.Arch == "" || h.BootUnix == 0 || h.MaxMapCount == 0 || h.PageSize < 4096 {
		t.Errorf("host %+v", h)
	}
	if h.CPUs < runtime.NumCPU() {
		t.Errorf("%d CPUs online, %d usable", h.CPUs, runtime.NumCPU())
	}
}

func TestParseCPUList(t *testing.T) {
	for list, want := range map[string]int{
		"0": 1, "0-3": 4, "0-3,8,10-11": 7, "": 0, "3-1": 0, "x": 0, "0-": 0,
	} {
		if got := parseCPUList(list); got != want {
			t.Errorf("parseCPUList(%q) = %d, want %d", list, got, want)
		}
	}
}

func TestParseBootTime(t *testing.T) {
	if got := parseBootTime(strings.NewReader("cpu 1 2\nintr " + strings.Repeat("0 ", 1<<17) + "\nbtime 1764000000\n")); got != 1764000000 {
		t.Errorf("boot time %d", got)
	}
	if got := parseBootTime(strings.NewReader("cpu 1 2")); got != 0 {
		t.Errorf("boot time %d in a text without one", got)
	}
}
