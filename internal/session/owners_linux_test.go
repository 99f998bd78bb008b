package session

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mmtrace/mmtrace/internal/testutil"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// An owning is an unmodified program, traced from its exec on, and whose memory
// it is known to hold once it is up.
type owning struct {
	name  string
	needs []string // to be found in the path; a file in a library directory if it has a ".so"
	files map[string]string
	setup [][]string // run before, untraced
	argv  []string
	// The program is up when it has written this to its standard output, or one of
	// its processes has it in its map.
	up   string
	want []string
}

// holds ends programs' scripts: they say that they are up, and wait.
const (
	holdPython = "\nprint('is up', flush=True)\nimport time; time.sleep(600)\n"
	holdSQL    = ".system echo is up; exec sleep 600"
	fillSQL    = "create table t(a); with recursive c(x) as (select 1 union all select x+1 from c where x<50000) insert into t select hex(randomblob(50)) from c;"
)

var ownings = []owning{
	python("python3"), python("/usr/bin/python3"), // they may differ in what is built in
	{
		name: "sqlite", needs: []string{"sqlite3"}, setup: [][]string{{"sqlite3", "db", fillSQL}},
		argv: []string{"sqlite3", "db", "PRAGMA mmap_size=268435456", "select sum(length(a)) from t", holdSQL}, up: "is up",
		want: []string{"SQLite mapping"},
	},
	{
		name: "lmdb", needs: []string{"/usr/bin/python3"}, argv: []string{"/usr/bin/python3", "-c", `
import lmdb
e = lmdb.open("db", map_size=32 << 20)` + holdPython}, up: "is up",
		want: []string{"LMDB map"},
	},
	{
		name: "aio", needs: []string{"fio"}, argv: fio("libaio"), up: "/[aio]",
		want: []string{"AIO ring", "System V segment"},
	},
	{
		name: "io_uring", needs: []string{"fio"}, argv: fio("io_uring"), up: "anon_inode:[io_uring]",
		want: []string{"io_uring ring"},
	},
	{
		name: "java", needs: []string{"java", "javac"}, files: map[string]string{"W.java": `
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
public class W {
    static Object[] keep = new Object[3];
    public static void main(String[] args) throws Exception {
        keep[0] = ByteBuffer.allocateDirect(64 << 20);
        keep[1] = FileChannel.open(Path.of("W.class")).map(FileChannel.MapMode.READ_ONLY, 0, 100);
        keep[2] = new byte[30 << 20];
        System.out.println("is up");
        Thread.sleep(600000);
    }
}`}, setup: [][]string{{"javac", "W.java"}}, argv: []string{"java", "-Xmx128m", "-cp", ".", "W"}, up: "is up",
		want: []string{"JVM memory", "JVM direct memory", "JVM file mapping", "thread stack", "malloc heap"},
	},
	{
		name: "node", needs: []string{"node"}, argv: []string{"node", "-e", `
let keep = [];
for (let i = 0; i < 300000; i++) keep.push({ i, text: 'x' + i });
keep.push(Buffer.alloc(20000000, 1));
setTimeout(() => console.log('is up'), 0);
setTimeout(() => {}, 600000);`}, up: "is up",
		want: []string{"V8 heap", "Node buffer", "thread stack"},
	},
	{
		name: "go", needs: []string{"go"}, files: map[string]string{"w.go": `
package main

import "time"

var keep [][]byte

func main() {
	for range 1000 {
		keep = append(keep, make([]byte, 100000))
	}
	println("is up")
	time.Sleep(time.Hour)
}`}, setup: [][]string{{"go", "build", "-o", "w", "w.go"}}, argv: []string{"./w"}, up: "is up",
		want: []string{"Go heap"},
	},
	preloaded("libjemalloc.so", "jemalloc heap"),
	preloaded("libtcmalloc_minimal.so", "tcmalloc heap"),
	preloaded("libmimalloc.so", "mimalloc heap"),
	preloaded("libtbbmalloc_proxy.so", "allocator heap"),
	{
		name: "grep", needs: []string{"grep"}, argv: []string{"sh", "-c", "(echo abc; sleep 600) | grep --line-buffered -P '(a|b)+c[^x]*'"}, up: "abc",
		want: []string{"generated code"},
	},
	{
		name: "ruby", needs: []string{"ruby"}, argv: []string{"ruby", "-e", `
keep = 100.times.map { Fiber.new { Fiber.yield } }
keep.each(&:resume)
more = 300000.times.map { |i| Object.new }
STDOUT.puts "is up"
STDOUT.flush
sleep 600`}, up: "is up",
		want: []string{"stack mapping", "Ruby heap"},
	},
}

// python returns a program of an interpreter.
func python(exe string) owning {
	return owning{name: strings.ReplaceAll(exe, "/", "_"), needs: []string{exe}, up: "is up", argv: []string{exe, "-c", `
import mmap, multiprocessing.shared_memory, threading, time
shared = multiprocessing.shared_memory.SharedMemory(create=True, size=3 << 20)
shared.unlink()
file = open('file', 'w+b')
file.write(b'x' * 4000000)
file.flush()
mapped = mmap.mmap(file.fileno(), 0)
keep = [[str(i) * 3 for i in range(200000)], bytearray(64 << 20)]
def idle():
    mine = [bytes(1000) for i in range(2000)]
    time.sleep(600)
threading.Thread(target=idle, daemon=True).start()` + holdPython},
		want: []string{"Python heap", "Python object", "thread stack", "shared memory", "library mapping", "malloc heap", "file mapping"}}
}

// fio returns a command that reads a file by one of fio's engines.
func fio(engine string) []string {
	return []string{"fio", "--name=w", "--filename=w", "--size=1m", "--rw=randread", "--rate_iops=20",
		"--time_based", "--runtime=600", "--ioengine=" + engine}
}

// preloaded returns a program that fills memory by an allocator.
func preloaded(library, want string) owning {
	return owning{name: want, needs: []string{library, "sqlite3"}, up: "is up", want: []string{want},
		argv: []string{"env", "LD_PRELOAD=" + findLibrary(library), "sqlite3", ":memory:", fillSQL, holdSQL}}
}

// findLibrary returns the path of a shared library whose name begins with name,
// or "".
func findLibrary(name string) string {
	for _, dir := range []string{"/usr/lib/*-linux-gnu", "/usr/lib64"} {
		if found, err := filepath.Glob(dir + "/" + name + "*"); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// TestOwners looks at real programs for each owner that a path can have.
func TestOwners(t *testing.T) {
	var seen []string
	ran := 0
	t.Run("programs", func(t *testing.T) {
		for _, o := range ownings {
			t.Run(o.name, func(t *testing.T) {
				got := o.owners(t)
				for _, want := range o.want {
					if !slices.Contains(got, want) {
						t.Errorf("no path of %s; they are of %q", want, got)
					}
				}
				seen = append(seen, got...)
				ran++
			})
		}
	})
	for _, name := range verdict.Owners() {
		if ran == len(ownings) && !slices.Contains(seen, name) && !unproved[name] {
			t.Errorf("%s was not seen with any program", name)
		}
	}
}

// unproved are owners for which no unmodified program is at hand.
var unproved = map[string]bool{"program break": true}

// owners returns whose memory the paths of a run are.
func (o *owning) owners(t *testing.T) []string {
	t.Helper()
	for _, need := range o.needs {
		if _, err := exec.LookPath(need); err != nil && findLibrary(need) == "" {
			testutil.Need(t, need)
		}
	}
	pr := program{name: o.name, files: o.files, setup: o.setup, argv: o.argv}
	dir := workDir(t, pr)
	pr.prepare(t, dir)
	root, begin := gated(t, pr, dir)
	s := attachTree(t, root)
	begin()
	up := make(chan struct{})
	go func() {
		defer close(up)
		for !o.isUp(root, pr.output(dir)) && isRunning(root) {
			time.Sleep(5 * time.Millisecond)
		}
	}()
	runFor(t, s, testutil.Patience, up)
	if !o.isUp(root, pr.output(dir)) {
		out, _ := os.ReadFile(pr.output(dir))
		t.Fatalf("%q does not get up in %v:\n%s", o.argv, testutil.Patience, out)
	}
	s.Settle(Stopped)
	r := finalReport(s)
	var out []string
	for i := range r.Paths {
		if name := r.Paths[i].Owner.Name; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (o *owning) isUp(root int, output string) bool {
	if b, err := os.ReadFile(output); err == nil && bytes.Contains(b, []byte(o.up)) {
		return true
	}
	return slices.ContainsFunc(descendants(root), func(pid int) bool {
		b, err := os.ReadFile(procPath(pid, "maps"))
		return err == nil && strings.Contains(string(b), o.up)
	})
}

// gated starts a shell which becomes the program once begin is called.
func gated(t *testing.T, pr program, dir string) (pid int, begin func()) {
	t.Helper()
	gate := filepath.Join(dir, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	pr.argv = append([]string{"sh", "-c", `read -r go <gate && exec "$@"`, "sh"}, pr.argv...)
	return launch(t, pr, dir), func() {
		if err := os.WriteFile(gate, []byte("go\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
}
