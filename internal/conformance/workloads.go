package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Workload is a program of others that works its address space hard, as data.
type Workload struct {
	Name  string
	Needs []string          // programs to be found in PATH, or absolute paths
	Files map[string]string // contents by name, in the directory it runs in
	Setup [][]string        // commands to run there first, untraced
	Argv  []string
	Env   []string
	Limit time.Duration // 0: Run's default
	// Exits are the results, besides 0, that say that the program did what it
	// could: the kernel's tests skip with 4, for one.
	Exits []int
}

// Missing returns the first of w.Needs that this machine lacks, empty if none.
func (w Workload) Missing() string {
	for _, need := range w.Needs {
		if _, err := exec.LookPath(need); err == nil {
			continue
		}
		if fi, err := os.Stat(need); filepath.IsAbs(need) && err == nil && fi.Mode().IsRegular() {
			continue
		}
		return need
	}
	return ""
}

// Prepare makes w ready to run in dir, an empty directory, which it fills.
func (w Workload) Prepare(dir string) (Command, error) {
	for name, text := range w.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return Command{}, fmt.Errorf("preparing %s: %w", w.Name, err)
		}
	}
	// Not dir itself: go ignores a go.mod in the directory for temporary files.
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return Command{}, fmt.Errorf("preparing %s: %w", w.Name, err)
	}
	env := append([]string{"TMPDIR=" + tmp, "GOFLAGS="}, w.Env...)
	for _, argv := range w.Setup {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return Command{}, fmt.Errorf("preparing %s: running %q: %w\n%s", w.Name, argv, err, out)
		}
	}
	return Command{Argv: w.Argv, Env: env, Dir: dir, Limit: w.Limit}, nil
}

// Workloads returns the programs of this machine's packages: stress-ng's memory
// stressors, language runtimes and allocators, one by one and always in the same
// order. The short set takes about half a minute, the whole about three.
func Workloads(short bool) []Workload {
	ws := stressors(short)
	ws = append(ws, runtimes(short)...)
	return append(ws, allocators(short)...)
}

// Guest returns the programs for emulated machines, which are some thirty times
// slower and have no compilers: what the short set compiles is in a directory, as
// goload/goload and malloc/malloc.
func Guest(built string) []Workload {
	// A start of stress-ng takes as long as a second of its work: three at a time.
	var ws []Workload
	for _, names := range [][]string{{"mmapfixed", "mremap", "shm-sysv"}, {"mprotect", "vforkmany", "pthread"}} {
		argv := []string{"stress-ng", "--temp-path", ".", "-t", "1"}
		for _, name := range names {
			argv = append(argv, "--"+name, "1")
		}
		ws = append(ws, Workload{
			Name:  "stress-ng-" + strings.Join(names, ","),
			Needs: []string{"stress-ng"},
			Argv:  argv,
			Limit: 40 * time.Second,
			Exits: []int{2, 3, 4},
		})
	}
	for _, w := range runtimes(true) {
		switch w.Name {
		case "python-threads":
			ws = append(ws, w)
		case "sqlite-mmap":
			w.Argv = []string{"sqlite3", "db", fmt.Sprintf(sqliteScript, 2000)}
			ws = append(ws, w)
		}
	}
	load, malloc := filepath.Join(built, "goload", "goload"), filepath.Join(built, "malloc", "malloc")
	ws = append(ws, Workload{Name: "go-program", Needs: []string{load}, Argv: []string{load}})
	return append(ws, underEach(Workload{Needs: []string{malloc}, Argv: []string{malloc, "8", "3"}})...)
}

// stressors are two workers for three seconds each. vm-segv is not among them:
// it traces its own children, which have a tracer already.
func stressors(short bool) []Workload {
	names := "mmap mmapaddr mmapfixed mmapfork mmaphuge mmapmany munmap mremap mprotect " +
		"pagemove pageswap remap shm shm-sysv brk bigheap stack stackmmap malloc madvise " +
		"mlock memfd secretmem pkey vm vm-addr vm-rw vm-splice fork vfork vforkmany " +
		"clone daemon zombie pthread zero"
	seconds := "3"
	if short {
		names = "mmap mmapfixed munmap mremap remap shm-sysv brk mprotect vforkmany pthread"
		seconds = "1"
	}
	// Sizes that leave memory to others.
	extra := map[string][]string{
		"bigheap": {"--bigheap-growth", "64K"},
		"vm":      {"--vm-bytes", "128M"},
		"mmap":    {"--mmap-bytes", "64M"},
		"memfd":   {"--memfd-bytes", "64M"},
		"malloc":  {"--malloc-bytes", "64M"},
	}
	var ws []Workload
	for name := range strings.FieldsSeq(names) {
		argv := []string{"stress-ng", "--temp-path", ".", "--" + name, "2", "-t", seconds}
		ws = append(ws, Workload{
			Name:  "stress-ng-" + name,
			Needs: []string{"stress-ng"},
			Argv:  append(argv, extra[name]...),
			Limit: 40 * time.Second,
			// 2: a stressor failed; 3: out of resources; 4: not implemented here.
			Exits: []int{2, 3, 4},
		})
	}
	return ws
}

func runtimes(short bool) []Workload {
	const limit = 90 * time.Second
	ws := []Workload{
		{
			Name:  "python-threads",
			Needs: []string{"python3"},
			Files: map[string]string{"w.py": pythonSource},
			Argv:  []string{"python3", "w.py"},
		},
		{
			Name:  "sqlite-mmap",
			Needs: []string{"sqlite3"},
			Argv:  []string{"sqlite3", "db", fmt.Sprintf(sqliteScript, 20000)},
		},
		{
			Name:  "gcc",
			Needs: []string{"gcc"},
			Files: map[string]string{"w.c": mallocSource},
			Argv:  []string{"gcc", "-O2", "-pthread", "-o", "w", "w.c"},
		},
		{
			Name:  "go-program",
			Needs: []string{"go"},
			Files: map[string]string{"main.go": goSource, "go.mod": "module w\n\ngo 1.22\n"},
			Setup: [][]string{{"go", "build", "-o", "w", "."}},
			Argv:  []string{"./w"},
		},
		{
			Name:  "node",
			Needs: []string{"node"},
			Files: map[string]string{"w.js": nodeSource},
			Argv:  []string{"node", "w.js"},
			Limit: limit,
		},
	}
	for _, gc := range []string{"G1", "Serial", "Parallel"} {
		ws = append(ws, Workload{
			Name:  "java-" + strings.ToLower(gc),
			Needs: []string{"java", "javac"},
			Files: map[string]string{"W.java": javaSource},
			Setup: [][]string{{"javac", "W.java"}},
			Argv:  []string{"java", "-XX:+Use" + gc + "GC", "-Xms16m", "-Xmx256m", "W"},
			Limit: limit,
		})
		if short {
			return ws
		}
	}
	return append(ws, Workload{
		Name:  "go-build",
		Needs: []string{"go"},
		Files: map[string]string{"main.go": goSource, "go.mod": "module w\n\ngo 1.22\n"},
		// With an empty cache it compiles the standard library, too.
		Argv:  []string{"sh", "-c", `GOCACHE="$PWD/cache" exec go build -o w .`},
		Limit: 5 * time.Minute,
	})
}

// allocators run one program that many threads allocate in under each malloc.
func allocators(short bool) []Workload {
	rounds := "400"
	if short {
		rounds = "50"
	}
	return underEach(Workload{
		Needs: []string{"gcc"},
		Files: map[string]string{"w.c": mallocSource},
		Setup: [][]string{{"gcc", "-O2", "-pthread", "-o", "w", "w.c"}},
		Argv:  []string{"./w", "16", rounds},
	})
}

// underEach returns w, a program that allocates, under each malloc.
func underEach(w Workload) []Workload {
	lib := map[string]string{"amd64": "/usr/lib/x86_64-linux-gnu/", "arm64": "/usr/lib/aarch64-linux-gnu/"}[runtime.GOARCH]
	var ws []Workload
	for _, name := range []string{"libc.so.6", "libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4"} {
		v := w
		v.Name = "malloc-" + strings.TrimPrefix(name[:strings.IndexByte(name, '.')], "lib")
		v.Needs = append(slices.Clone(w.Needs), lib+name)
		// Not for the compiler: env starts the program alone.
		v.Argv = append([]string{"env", "LD_PRELOAD=" + lib + name}, w.Argv...)
		if name == "libc.so.6" {
			v.Name, v.Needs, v.Argv = "malloc-glibc", w.Needs, w.Argv
		}
		ws = append(ws, v)
	}
	return ws
}
