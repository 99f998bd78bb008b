package session

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A program is an unmodified program with a load.
type program struct {
	name  string
	needs []string // to be found in the path
	user  string   // whom to run as; empty: whoever runs the test
	files map[string]string
	setup [][]string // run before, in the program's directory
	argv  []string
	ready []string // succeeds when the program is up; nil: at once
	// family is how many processes say that the program is at work.
	family int
	// end is the signal that ends the program and what it would else leave in the
	// machine; 0: it is killed.
	end  syscall.Signal
	load [][]string // run one after the other; nil: the program works by itself, to its end
}

// postgresBin is where Debian keeps the programs of PostgreSQL's server.
func postgresBin() string {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(dirs) == 0 {
		return ""
	}
	return dirs[len(dirs)-1] + "/"
}

func servers() []program {
	pg := postgresBin()
	return []program{
		{
			name:  "redis",
			needs: []string{"redis-server", "redis-cli", "redis-benchmark"},
			argv:  []string{"redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", "."},
			ready: []string{"redis-cli", "-s", "sock", "ping"},
			load: [][]string{
				{"redis-benchmark", "-s", "sock", "-q", "-n", "60000", "-r", "8000", "-d", "8000", "-t", "set,lpush"},
				{"redis-cli", "-s", "sock", "bgsave"},
				{"redis-cli", "-s", "sock", "flushall"},
			},
		},
		{
			name:  "postgres",
			needs: []string{pg + "postgres", pg + "initdb", "pgbench"},
			user:  "nobody",
			setup: [][]string{{pg + "initdb", "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync"}},
			argv: []string{pg + "postgres", "-D", "data", "-c", "listen_addresses=", "-c", "unix_socket_directories={dir}",
				"-c", "fsync=off"},
			end:   syscall.SIGINT, // removes its segment
			ready: []string{"psql", "-h", "{dir}", "-U", "postgres", "-c", "select 1"},
			load: [][]string{
				{"pgbench", "-h", "{dir}", "-U", "postgres", "-i", "-s", "1", "postgres"},
				{"pgbench", "-h", "{dir}", "-U", "postgres", "-c", "4", "-T", "1", "-C", "postgres"},
			},
		},
		{name: "python", needs: []string{"python3"}, files: map[string]string{"w.py": pythonLoad}, argv: []string{"python3", "w.py"}},
		{name: "node", needs: []string{"node"}, files: map[string]string{"w.js": nodeLoad}, argv: []string{"node", "w.js"}},
		{name: "java", needs: []string{"java", "javac"}, files: map[string]string{"W.java": javaLoad}, argv: []string{"java", "-Xmx128m", "W.java"}},
		{
			name:  "go-build",
			needs: []string{"go"},
			files: map[string]string{"go.mod": "module w\n\ngo 1.22\n", "main.go": goLoad},
			argv:  []string{"sh", "-c", `GOFLAGS= GOCACHE="$PWD/cache" exec timeout -s KILL 3 go build -o w .`},
		},
	}
}

func stressors() []program {
	var out []program
	for name := range strings.FieldsSeq("mmapaddr mmap mremap remap shm-sysv brk stack malloc vfork zombie") {
		seconds := "3"
		if name == "vfork" || name == "zombie" { // to hold so many processes up takes a while
			seconds = "9"
		}
		out = append(out, program{
			name:   "stress-ng-" + name,
			needs:  []string{"stress-ng"},
			family: 3, // the workers have been started
			argv:   []string{"stress-ng", "--temp-path", ".", "--" + name, "2", "-t", seconds},
		})
	}
	return out
}

// workDir returns a directory with the program's files that its user may write.
func workDir(t *testing.T, pr program) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mmtrace-program-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// Not dir itself: go ignores a go.mod in the directory for temporary files.
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range pr.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if c := pr.credential(); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command returns a command of the program's user in its directory.
func (pr program) command(dir string, argv []string) *exec.Cmd {
	args := slices.Clone(argv[1:])
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{dir}", dir)
	}
	cmd := exec.Command(argv[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: pr.credential()}
	return cmd
}

func (pr program) credential() *syscall.Credential {
	u, err := user.Lookup(pr.user)
	if err != nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(number(u.Uid)), Gid: uint32(number(u.Gid))}
}

// Programs that work for about two seconds.
const (
	pythonLoad = `
import mmap, os, subprocess, threading, time
end = time.time() + 2
def work(n):
    keep = []
    while time.time() < end:
        for i in range(50):
            m = mmap.mmap(-1, (i % 7 + 1) * 65536)
            m[0] = 1
            if i % 3:
                m.resize((i % 5 + 1) * 65536)
            if i % 5:
                m.close()
            else:
                keep.append(m)
        keep = keep[-20:] + [bytearray(200000 + i) for i in range(20)]
        if n == 0:
            subprocess.run(["true"], check=True)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
`
	nodeLoad = `
const { Worker, isMainThread } = require('worker_threads');
const { execFileSync } = require('child_process');
const end = Date.now() + 2000;
let keep = [];
function work() {
  for (let i = 0; i < 200; i++) {
    keep.push(Buffer.alloc(1 << (10 + i % 13)));
    if (i % 10 == 0) keep = keep.slice(-5);
  }
  if (isMainThread) execFileSync('true');
  if (Date.now() < end) setImmediate(work);
}
if (isMainThread) for (let i = 0; i < 3; i++) new Worker(__filename);
work();
`
	javaLoad = `
import java.util.*;
public class W {
    static void work(long end) {
        List<byte[]> keep = new ArrayList<>();
        for (int i = 0; System.nanoTime() < end; i++) {
            keep.add(new byte[1 << (i % 18)]);
            if (keep.size() > 200) keep.subList(0, 100).clear();
        }
    }
    public static void main(String[] args) throws Exception {
        long end = System.nanoTime() + 2_000_000_000L;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Thread t = new Thread(() -> work(end));
            t.start();
            threads.add(t);
        }
        while (System.nanoTime() < end) {
            new ProcessBuilder("true").start().waitFor();
            System.gc();
        }
        for (Thread t : threads) t.join();
    }
}
`
	goLoad = `package main

import "net/http"

func main() { _ = http.ListenAndServe(":0", nil) }
`
)
