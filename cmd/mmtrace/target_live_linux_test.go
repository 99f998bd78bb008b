package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

func TestOldProgram(t *testing.T) {
	needTracing(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("it is for x86")
	}
	exe := testutil.Compile(t, "testdata/c/old32.c", "-m32", "-static", "-nostdlib", "-fno-pie", "-no-pie")
	cmd := exec.Command(exe)
	if err := cmd.Start(); err != nil {
		testutil.Need(t, "a kernel that runs 32-bit programs: "+err.Error())
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	got := mmtrace(t, "-q", "-p", fmt.Sprint(cmd.Process.Pid), "-d", "0.5", "-F", "json")
	r := parseReport(t, got.out)
	want := fmt.Sprintf("old32 (pid %d) is a 32-bit program: its call paths cannot be captured. The sums are exact all the same.", cmd.Process.Pid)
	if len(r.Caveats) == 0 || r.Caveats[0] != want {
		t.Errorf("caveats %q, want %q", r.Caveats, want)
	}
	if len(r.Paths) != 1 || r.Paths[0].Count < 10 || r.Paths[0].Bytes != 64<<10*r.Paths[0].Count {
		t.Errorf("paths %+v", r.Paths)
	}
}

// Names with line breaks, escapes and broken UTF-8 never reach an output raw.
func TestOddNames(t *testing.T) {
	needTracing(t)
	p := testutil.Start(t, testutil.Compile(t, "names.c", "-O1"), t.TempDir())
	dir := t.TempDir()
	r := newRun(t, append([]string{"-p", fmt.Sprint(p.PID()), "-d", "0", "-o", "-", "--color", "never"}, outputsOf(dir, "a")...)...)
	r.start()
	r.attached()
	truths := testutil.Truths(t, p.Run())
	r.cmd.Process.Signal(os.Interrupt)
	got := r.wait()
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	texts := map[string]string{"stdout": got.out, "stderr": got.err,
		"doctor": mmtrace(t, "doctor", "-p", fmt.Sprint(p.PID())).out}
	for _, ext := range []string{"txt", "json", "folded"} {
		b, err := os.ReadFile(filepath.Join(dir, "a."+ext))
		if err != nil {
			t.Fatal(err)
		}
		texts[ext] = string(b)
	}
	for name, text := range texts {
		for i, c := range []byte(text) {
			if c != '\n' && c != '\t' && (c < ' ' || c >= 0x7f) {
				t.Errorf("%s has the byte %#x: %q", name, c, text[max(0, i-40):min(len(text), i+40)])
				break
			}
		}
	}
	const comm = `c) R 1\n\x1b[1m\xff;`
	tells(t, got.out, `c\) R 1\\n\\x1b\[1m\\xff; \(pid \d+\)`, `stopped after `)
	if want := "tracing " + comm + " ("; !strings.HasPrefix(got.err, want) {
		t.Errorf("messages %q, want %q", got.err, want)
	}
	if !strings.Contains(texts["doctor"], comm+", /") || !strings.Contains(texts["doctor"], "ok    symbols") {
		t.Errorf("doctor says\n%s", texts["doctor"])
	}
	for _, line := range strings.Split(strings.TrimSuffix(texts["folded"], "\n"), "\n") {
		if !strings.HasPrefix(line, `c)_R_1_\x1b[1m\xff:;_start;`) {
			t.Errorf("folded line %q", line)
		}
	}
	rep := parseReport(t, texts["json"])
	if rep.Totals.OutstandingBytes != truths["odd_file"]+truths["odd_anon"] {
		t.Errorf("%d bytes, want %v", rep.Totals.OutstandingBytes, truths)
	}
}

// A target that ends or becomes another program while it is being attached to is
// traced or said to be gone, time after time.
func TestAttachToTheRestless(t *testing.T) {
	needTracing(t)
	for i := range 12 {
		script := "exec sleep 0.1" // ends
		if i%2 == 1 {
			script = "n=0; while [ $n -lt 40 ]; do n=$((n+1)); :; done; exec sh -c 'exec sleep 0.3'"
		}
		cmd := exec.Command("sh", "-c", fmt.Sprintf("sleep 0.0%d; %s", i%5, script))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- cmd.Wait() }()
		got := mmtrace(t, "-p", fmt.Sprint(cmd.Process.Pid), "-d", "0.3", "--strict")
		if got.code != exitOK && got.code != exitNoTarget && got.code != exitIncomplete {
			t.Errorf("run %d: exit code %d\n%s\n%s", i, got.code, got.err, got.out)
		}
		if got.code == exitIncomplete && strings.Contains(got.out, " 0 events lost, map verified 100 %") {
			t.Errorf("run %d: incomplete without a reason\n%s", i, got.out)
		}
		<-ended
	}
}

// Processes in a pid namespace are named by the ids that the user sees, from
// outside and from inside, children too.
func TestPIDNamespace(t *testing.T) {
	needTracing(t)
	const family = `sh -c 'i=0; while [ $i -lt 60 ]; do sleep 0.05; i=$((i+1)); done' & `
	inside := inNamespace(t, []string{"--pid", "--fork", "--mount-proc"}, 0,
		family+`pid=$!; $M -q -f -p $pid -d 0.4 -F json; echo; echo $pid; kill $pid`)
	inside.start()
	got := inside.wait()
	text, last, _ := strings.Cut(got.out, "\n}\n")
	r := parseReport(t, text+"\n}")
	if len(r.Targets) < 2 || fmt.Sprint(r.Targets[0].PID) != strings.TrimSpace(last) {
		t.Errorf("inside: process %s; targets %+v\n%s", last, r.Targets, got.err)
	}
	for _, g := range r.Targets {
		if g.PID <= 0 || g.PID > 1000 || g.Comm == "" {
			t.Errorf("inside: target %+v", g)
		}
	}

	outside := inNamespace(t, []string{"--pid", "--fork", "--mount-proc"}, 0, family+"wait")
	outside.start()
	var pid int
	waitUntil(t, "the process in the namespace", func() bool {
		init := childrenOf(outside.cmd.Process.Pid)
		if len(init) == 1 {
			for _, c := range childrenOf(init[0]) {
				pid = c
			}
		}
		return pid != 0
	})
	got = mmtrace(t, "-q", "-f", "-p", fmt.Sprint(pid), "-d", "0.4", "-F", "json")
	r = parseReport(t, got.out)
	if len(r.Targets) < 2 {
		t.Fatalf("outside: targets %+v\n%s", r.Targets, got.err)
	}
	for i, g := range r.Targets {
		if i > 0 && (g.Parent < pid || g.PID <= pid) || g.Comm == "" {
			t.Errorf("outside: target %+v of process %d", g, pid)
		}
	}
	syscall.Kill(pid, syscall.SIGTERM)
	outside.wait()
}

// The program of a target need not be there any more, nor be seen at the path
// that it has for the target.
func TestProgramOutOfSight(t *testing.T) {
	needTracing(t)
	exe := testutil.Compile(t, "cases.c", "-O1", "-static")
	for name, flags := range map[string][]string{"deleted": {"-m"}, "chroot": {"-m", "-R", "root"}} {
		r := inNamespace(t, nil, 0, "")
		dir := r.cmd.Dir
		if err := os.MkdirAll(filepath.Join(dir, "root"), 0o755); err != nil {
			t.Fatal(err)
		}
		program, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "root", "app")
		if err := os.WriteFile(path, program, 0o755); err != nil {
			t.Fatal(err)
		}
		arg := path
		if name == "chroot" {
			arg = "/app"
			flags[2] = filepath.Join(dir, "root")
		}
		cmd := exec.Command(r.cmd.Path, append(flags, arg, "s02_munmap_tail")...)
		p := testutil.StartCmd(t, cmd)
		if name == "deleted" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		run := newRun(t, "-p", fmt.Sprint(p.PID()), "-d", "0.4", "-F", "folded")
		run.start()
		run.attached()
		truths := testutil.Truths(t, p.Run())
		got := run.wait()
		want := fmt.Sprintf("s02_munmap_tail;mmap %d\n", truths["s02_munmap_tail"])
		if got.code != exitOK || !strings.HasSuffix(strings.ReplaceAll(got.out, "__mmap", "mmap"), want) {
			t.Errorf("%s: exit code %d, %q, want %q\n%s", name, got.code, got.out, want, got.err)
		}
		p.Close()
	}
}

// Many short children are followed with few files, and summed up in a few lines.
func TestManyChildren(t *testing.T) {
	needTracing(t)
	r := newRun(t)
	r.cmd.Path, r.cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -n 100; exec "$0" "$@"`, selfLink(t)}
	r.cmd.Args = append(r.cmd.Args, "-q", "-f", "-o", "-", "-o", "r.json", "--", "sh", "-c",
		"i=0; while [ $i -lt 300 ]; do (exit 3); i=$((i+1)); done; sleep 0")
	r.start()
	got := r.wait()
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	if n := strings.Count(got.out, "\n"); n > 200 {
		t.Errorf("a report of %d lines", n)
	}
	if want := "and 301 children that ended in the window: 300 sh, sleep\n"; !strings.Contains(got.out, want) {
		t.Errorf("no %q in\n%s", want, got.out)
	}
	tells(t, got.out, `sh \(pid \d+\) with 301 children`, `exited after `)
}
