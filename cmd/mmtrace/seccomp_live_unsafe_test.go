//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// forbid lets calls of bpf(2) of this test, and of what it starts, fail with errno, as
// the seccomp profile of a container does (seccomp(2)). Its thread ends with it.
func forbid(t *testing.T, errno unix.Errno) {
	t.Helper()
	runtime.LockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_BPF, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(filter)
}

// Where a filter forbids root bpf(2), as in a container, mmtrace says so and what to
// do; a filter that lets it through is no matter.
func TestSeccomp(t *testing.T) {
	needTracing(t)
	denied := "mmtrace: not permitted to load BPF programs: a seccomp filter forbids bpf(2)\n" +
		"  try:   " + withoutFilter + "\n  why:   mmtrace doctor\n"
	for _, errno := range []unix.Errno{unix.EPERM, unix.ENOSYS} {
		t.Run(errno.Error(), func(t *testing.T) {
			forbid(t, errno)
			got := mmtrace(t, "-p", fmt.Sprint(os.Getpid()), "-d", "1")
			if diff := cmp.Diff(result{code: exitNotPermitted, err: denied, took: got.took}, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("tracing (-want +got):\n%s", diff)
			}
			got = mmtrace(t, "doctor")
			want := "ok    capabilities   cap_bpf, cap_perfmon, cap_sys_ptrace\n" +
				"fail  seccomp        a filter (Seccomp: 2 in /proc/self/status), which forbids bpf(2)\n" +
				"                     -> " + withoutFilter + "\n" +
				"warn  programs       not tried without bpf(2)\n" +
				"mmtrace cannot trace here: see the lines that say fail.\n"
			if lines := linesWith(got.out, "capabilities ", "seccomp", "programs ", "mmtrace"); got.code != exitNotPermitted || lines != want {
				t.Errorf("doctor exits with %d (-want +got):\n%s", got.code, cmp.Diff(want, lines))
			}
		})
	}
	t.Run("lets it through", func(t *testing.T) {
		forbid(t, unix.EINVAL) // which is the answer to what is asked anyway
		got := mmtrace(t, "doctor")
		if diff := cmp.Diff("ok    seccomp        a filter, which lets bpf(2) through\n", linesWith(got.out, "seccomp")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// linesWith returns the lines of text in which one of words is.
func linesWith(text string, words ...string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for _, w := range words {
			if strings.Contains(line, w) {
				out.WriteString(line)
				break
			}
		}
	}
	return out.String()
}
