// Bench measures what tracing costs and prints tables in Markdown. scripts/bench
// builds and runs it, as root.
//
// Nothing is compared across runs: each number is a ratio of two measurements
// that followed one another, and the median of several such ratios.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// options are the sizes of the measurement.
type options struct {
	mmtrace, pairs, pairsFP, stall string // programs
	rounds                         int
	run                            time.Duration // of a load
	quick                          bool
	only                           string
}

func main() {
	runtime.LockOSThread() // children die with the thread that started them
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.mmtrace, "mmtrace", "", "the `program` to measure")
	fs.StringVar(&o.pairs, "pairs", "", "the load, built from pairs.c")
	fs.StringVar(&o.pairsFP, "pairs-fp", "", "the load, built with frame pointers")
	fs.StringVar(&o.stall, "stall", "", "a program with a large map, built from stall.c")
	fs.BoolVar(&o.quick, "quick", false, "fewer loads and rounds")
	fs.StringVar(&o.only, "only", "", "one `section` alone: pairs, depth, rate, others, redis, attach, stall, report or memory")
	empty := fs.Bool("empty", false, "attach programs that do nothing, until it is interrupted")
	fs.IntVar(&o.rounds, "rounds", 0, "how often; 0: 5, or 3 with -quick")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *empty {
		return failed(stderr, attachEmpty(stdout))
	}
	rounds := 5
	o.run = time.Second
	if o.quick {
		rounds, o.run = 3, 300*time.Millisecond
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	self, err := os.Executable()
	if err != nil {
		return failed(stderr, err)
	}
	dir, err := os.MkdirTemp("", "mmtrace-bench-")
	if err != nil {
		return failed(stderr, err)
	}
	defer os.RemoveAll(dir)
	go endOnSignal(dir)
	b := &bench{options: o, self: self, dir: dir, out: stdout, log: stderr}
	return b.all()
}

// failed tells of an error, if it is one, and returns the exit code for it.
func failed(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "bench:", err)
	return 1
}

// endOnSignal leaves nothing behind when the measurement is interrupted.
func endOnSignal(dir string) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	for _, pid := range childrenOf(os.Getpid()) {
		killTree(pid)
	}
	os.RemoveAll(dir)
	os.Exit(130)
}

// all measures the sections that are wanted.
func (b *bench) all() int {
	code := 0
	for _, s := range sections {
		if b.only != "" && b.only != s.name {
			continue
		}
		start := time.Now()
		err := s.measure(b)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(b.out, "not measured: %v\n\n", err)
			continue
		}
		if err != nil {
			fmt.Fprintf(b.log, "bench: measuring %s: %v\n", s.name, err)
			code = 1
		}
		fmt.Fprintf(b.log, "== %s took %.0f s\n", s.name, time.Since(start).Seconds())
	}
	return code
}

// errMissing means that a program is not installed.
var errMissing = errors.New("not installed")

// A bench is one run of all measurements.
type bench struct {
	options
	self     string // this program
	dir      string // for files
	out, log io.Writer
}

var sections = []struct {
	name    string
	measure func(*bench) error
}{
	{"pairs", (*bench).pairTable},
	{"depth", (*bench).depthTable},
	{"rate", (*bench).rateTable},
	{"others", (*bench).othersTable},
	{"redis", (*bench).redisTable},
	{"attach", (*bench).attachTable},
	{"stall", (*bench).stallTable},
	{"report", (*bench).reportTable},
	{"memory", (*bench).memoryTable},
}
