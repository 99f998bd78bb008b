package session

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// A gdbProgram runs under gdb. start returns the process; load, if any, keeps it
// busy until it returns.
type gdbProgram struct {
	name  string
	start func(t *testing.T) (pid int)
	load  func(stop <-chan struct{})
}

// started starts a command that says when it is ready.
func started(cmd *exec.Cmd) func(t *testing.T) int {
	return func(t *testing.T) int { return testutil.StartCmd(t, cmd).PID() }
}

func gdbPrograms(t *testing.T) []gdbProgram {
	dir, err := filepath.Abs("testdata/gdb")
	if err != nil {
		t.Fatal(err)
	}
	c := func(name string, args []string, flags ...string) gdbProgram {
		exe := testutil.Compile(t, filepath.Join(dir, name), flags...)
		return gdbProgram{name: strings.Join(append([]string{name}, flags...), " "), start: started(exec.Command(exe, args...))}
	}
	lib := testutil.Compile(t, filepath.Join(dir, "library.c"), "-O2", "-shared", "-fPIC")
	list := []gdbProgram{
		c("signals.c", []string{lib}, "-O2", "-fomit-frame-pointer"),
		c("signals.c", nil, "-O2", "-static"),
		c("signals.c", nil, "-O1", "-static-pie"),
		c("signals.c", []string{lib}, "CC=clang-19", "-O2"),
		c("exceptions.cc", nil, "CC=g++", "-O2"),
		c("exceptions.cc", nil, "CC=g++", "-O3", "-flto", "-march=x86-64-v3"),
	}
	if rust := buildRust(t, filepath.Join(dir, "load.rs")); rust != "" {
		list = append(list, gdbProgram{name: "load.rs", start: started(exec.Command(rust))})
	}
	list = append(list, pythonProgram(), pythonModules(), redisProgram(t), postgresProgram())
	return list
}

func buildRust(t *testing.T, src string) string {
	rustc, err := exec.LookPath("rustc")
	if err != nil {
		testutil.Need(t, "rustc")
	}
	exe := filepath.Join(t.TempDir(), "load")
	if out, err := exec.Command(rustc, "-O", "-o", exe, src).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", src, err, out)
	}
	return exe
}

func pythonProgram() gdbProgram {
	const script = `
import mmap, json, os, re, sys
print("ready", flush=True)
def deep(n):
    if n: return deep(n - 1)
    m = mmap.mmap(-1, 4096 * 5); m.close()
    return bytearray(1 << 20)
while os.getppid() != 1:
    deep(7); json.loads('{"a": [1, 2, {"b": null}]}', object_hook=lambda d: deep(2) and d)
    re.sub("a", lambda m: str(len(deep(1))), "banana"); sorted([3, 1, 2], key=lambda x: len(deep(0)))
`
	return gdbProgram{name: "python3", start: started(exec.Command("python3", "-c", script))}
}

// pythonModules goes through extension modules and the libraries behind them,
// which call back: SQLite's functions and order, a parser's handlers, the C
// library's sort by way of libffi.
func pythonModules() gdbProgram {
	const script = `
import ctypes, mmap, os, sqlite3, xml.parsers.expat
def grow(*_):
    m = mmap.mmap(-1, 4096 * 3); m.close()
    return 0
db = sqlite3.connect(":memory:")
db.create_function("grow", 1, grow); db.create_collation("odd", grow)
db.execute("create table t (a text)"); db.executemany("insert into t values (?)", [("b",), ("a",)])
sort = ctypes.CDLL(None).qsort
less = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(grow)
print("ready", flush=True)
while os.getppid() != 1:
    db.execute("select grow(a) from t").fetchall(); db.execute("select a from t order by a collate odd").fetchall()
    p = xml.parsers.expat.ParserCreate(); p.StartElementHandler = grow; p.Parse("<a><b/></a>", True)
    sort(ctypes.create_string_buffer(4), 4, 1, less)
`
	return gdbProgram{name: "python3 modules", start: started(exec.Command("python3", "-c", script))}
}

func redisProgram(t *testing.T) gdbProgram {
	exe, err := exec.LookPath("redis-server")
	if err != nil {
		testutil.Need(t, "redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	cmd := exec.Command("sh", "-c", `(echo ready) ; exec "$0" --port "$1" --save "" --bind 127.0.0.1 > /dev/null`, exe, port)
	cmd.Env = append(os.Environ(), "MALLOC_CONF=retain:false,dirty_decay_ms:0,muzzy_decay_ms:0")
	return gdbProgram{name: "redis-server", start: started(cmd), load: func(stop <-chan struct{}) {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = exec.Command("redis-benchmark", "-p", port, "-n", "400", "-q", "-d", "300000", "-r", "50",
				"-t", "set,lpush,lpop,mset").Run() // while gdb holds the server it may give up
		}
	}}
}

// backendLoad sorts, hashes and concatenates more than the C library's malloc
// takes from its heap.
const backendLoad = `select sum(length(repeat(md5(i::text), 4096))) from generate_series(1, 3) i;
select count(*) from (select bid, count(*) from pgbench_accounts group by bid order by 2) x;
select count(*) from pgbench_accounts a join pgbench_accounts b using (aid) where a.aid < 3000;
select string_agg(filler, ',' order by aid desc) is null from pgbench_accounts where aid < 2000;
`

// postgresProgram is the one process of PostgreSQL that serves pgbench's one
// connection.
func postgresProgram() gdbProgram {
	return gdbProgram{name: "postgres", start: func(t *testing.T) int {
		all := servers()
		pg := all[slices.IndexFunc(all, func(p program) bool { return p.name == "postgres" })]
		for _, need := range pg.needs {
			if _, err := exec.LookPath(need); err != nil {
				testutil.Need(t, need)
			}
		}
		t.Setenv("MALLOC_MMAP_THRESHOLD_", "65536") // fixed, too: it grows otherwise
		pg.files = map[string]string{"load.sql": backendLoad}
		dir := workDir(t, pg)
		for _, argv := range pg.setup {
			if out, err := pg.command(dir, argv).CombinedOutput(); err != nil {
				t.Fatalf("running %q: %v\n%s", argv, err, out)
			}
		}
		launch(t, pg, dir)
		eventually(t, "postgres to be ready", func() bool { return pg.command(dir, pg.ready).Run() == nil })
		if out, err := pg.command(dir, pg.load[0]).CombinedOutput(); err != nil {
			t.Fatalf("running %q: %v\n%s", pg.load[0], err, out)
		}
		pg.name, pg.argv = "pgbench", []string{"pgbench", "-n", "-h", "{dir}", "-U", "postgres", "-c", "1", "-T", "3600",
			"-f", "load.sql", "-b", "tpcb-like", "postgres"}
		launch(t, pg, dir)
		pid := 0
		// Its first connection, which only looks at the tables, ends before it begins.
		eventually(t, "pgbench to be served", func() bool {
			out, err := pg.command(dir, []string{"psql", "-h", "{dir}", "-U", "postgres", "-Atc",
				"select pid from pg_stat_activity where application_name = 'pgbench' and exists (select from pgbench_history)"}).Output()
			pid = number(strings.TrimSpace(string(out)))
			return err == nil && pid > 0
		})
		return pid
	}}
}
