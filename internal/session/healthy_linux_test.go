package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// healthyPrograms are unmodified programs that work until they are killed and do
// not leak. Each takes little of a processor, so that all get their turn.
func healthyPrograms() []program {
	pg := postgresBin()
	const python = "/usr/bin/python3" // the system's
	all := []program{
		{
			name: "redis", needs: []string{"redis-server", "redis-cli", "redis-benchmark"},
			argv:  []string{"redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", "."},
			ready: []string{"redis-cli", "-s", "sock", "ping"},
			load:  [][]string{{"redis-benchmark", "-s", "sock", "-q", "-n", "1000000", "-r", "2000", "-d", "3000", "-c", "5", "-t", "set,get"}},
		},
		{name: "node", needs: []string{"node"}, files: map[string]string{"w.js": healthyNode}, argv: []string{"node", "w.js"}},
		{name: "java", needs: []string{"java", "javac"}, files: map[string]string{"W.java": healthyJava}, argv: []string{"java", "-Xmx64m", "W.java"}},
		{name: "python", needs: []string{python}, files: map[string]string{"w.py": healthyPython}, argv: []string{python, "w.py"}},
		{name: "perl", needs: []string{"perl"}, files: map[string]string{"w.pl": healthyPerl}, argv: []string{"perl", "w.pl"}},
		{name: "bash", needs: []string{"bash"}, files: map[string]string{"w.bash": healthyBash}, argv: []string{"bash", "w.bash"}},
		{
			name: "sqlite3", needs: []string{"sqlite3"}, files: map[string]string{"statements": healthySQL},
			argv: []string{"sqlite3", "w.db", ".read '|sh statements'"},
		},
		{
			name: "postgres", needs: []string{pg + "postgres", pg + "initdb", "pgbench"}, user: "nobody",
			setup: [][]string{{pg + "initdb", "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync"}},
			argv: []string{pg + "postgres", "-D", "data", "-c", "listen_addresses=", "-c", "unix_socket_directories={dir}",
				"-c", "fsync=off"},
			end:    syscall.SIGINT, // removes its segment
			ready:  []string{"pgbench", "-h", "{dir}", "-U", "postgres", "-q", "-i", "postgres"},
			load:   [][]string{{"pgbench", "-h", "{dir}", "-U", "postgres", "-n", "-R", "100", "-c", "3", "-T", "900", "postgres"}},
			family: 9, // the server, its five workers and a process for each connection
		},
	}
	// The system's allocators, under a program that was not built with them.
	for _, name := range []string{"libjemalloc.so.2", "libmimalloc.so.2"} {
		if found, err := filepath.Glob("/usr/lib/*/" + name); err == nil && len(found) > 0 {
			all = append(all, program{
				name: "python+" + name, needs: []string{python}, files: map[string]string{"w.py": healthyPython},
				argv: []string{"env", "LD_PRELOAD=" + found[0], python, "w.py"},
			})
		}
	}
	return all
}

// healthy starts those of healthyPrograms that this machine has; in CI it has all.
func healthy(t *testing.T) []*subject {
	t.Helper()
	var out []*subject
	for _, pr := range healthyPrograms() {
		missing := ""
		for _, need := range pr.needs {
			if _, err := exec.LookPath(need); err != nil {
				missing = need
			}
		}
		if missing != "" {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s needs %s", pr.name, missing)
			}
			t.Logf("%s is left out: no %s", pr.name, missing)
			continue
		}
		dir := workDir(t, pr)
		pr.prepare(t, dir)
		pid := launch(t, pr, dir)
		if pr.ready != nil {
			eventually(t, pr.name+" to be ready", func() bool { return pr.command(dir, pr.ready).Run() == nil })
		}
		for _, argv := range pr.load {
			launch(t, program{name: argv[0], argv: argv, user: pr.user}, dir)
		}
		s := &subject{name: pr.name}
		eventually(t, pr.name+" to be at work", func() bool { return len(descendants(pid)) >= pr.family })
		for _, p := range descendants(pid) {
			s.pids = append(s.pids, event.PID(p))
		}
		out = append(out, s)
	}
	return out
}

// Programs that make and drop objects.
const (
	healthyPerl = `
my (@keep, %seen);
for (my $i = 0;; $i++) {
    push @keep, "x" x (200000 + $i % 7 * 50000), [1 .. 500];
    $seen{$i % 5000} = "y" x ($i % 100);
    splice @keep, 0, @keep - 60 if @keep > 60;
    select undef, undef, undef, 0.02;
}
`
	healthyBash = `
for ((i = 0; ; i++)); do
    printf -v block '%*s' $((100000 + i % 9 * 40000)) x
    keep[i % 40]=$block
    lines=$(printf '%s\\n' {1..50})
    read -r -t 0.05 <> <(:)
done
`
	healthySQL = `
echo 'create table t(k integer primary key, v blob);'
i=0
while :; do
    i=$((i + 1))
    echo "insert into t values($i, randomblob(20000)); delete from t where k < $i - 200;"
    echo "select count(*), sum(length(v)) from t where k % 7 = 3;"
    sleep 0.05
done
`
	healthyPython = `
import collections, mmap, time
keep = collections.deque(maxlen=40)
while True:
    keep.append(["x" * (i % 500) for i in range(2000)])
    keep.append(bytearray(300000))
    m = mmap.mmap(-1, 65536)
    m[0] = 1
    m.close()
    time.sleep(0.02)
`
	healthyNode = `
let keep = [];
setInterval(() => {
  for (let i = 0; i < 500; i++) keep.push({ i, text: 'x' + i });
  keep.push(Buffer.alloc(300000, 1));
  if (keep.length > 20000) keep = keep.slice(10000);
}, 20);
`
	healthyJava = `
import java.util.*;
public class W {
    public static void main(String[] args) throws Exception {
        Deque<byte[]> keep = new ArrayDeque<>();
        while (true) {
            for (int i = 0; i < 100; i++) keep.add(new byte[2000]);
            while (keep.size() > 5000) keep.remove();
            Thread.sleep(20);
        }
    }
}
`
)
