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
	fs.IntVar(&o.rounds, "rounds", 0, "how often; 0: 5, or 3 with -quick")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	rounds := 5
	o.run = time.Second
	if o.quick {
		rounds, o.run = 3, 300*time.Millisecond
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	dir, err := os.MkdirTemp("", "mmtrace-bench-")
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		os.RemoveAll(dir)
		for _, pid := range childrenOf(os.Getpid()) {
			killTree(pid)
		}
		os.Exit(130)
	}()
	b := &bench{options: o, dir: dir, out: stdout, log: stderr}
	code := 0
	for _, s := range sections {
		if o.only != "" && o.only != s.name {
			continue
		}
		start := time.Now()
		err := s.measure(b)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(stdout, "not measured: %v\n\n", err)
			continue
		}
		if err != nil {
			fmt.Fprintf(stderr, "bench: measuring %s: %v\n", s.name, err)
			code = 1
		}
		fmt.Fprintf(stderr, "== %s took %.0f s\n", s.name, time.Since(start).Seconds())
	}
	return code
}

// errMissing means that a program is not installed.
var errMissing = errors.New("not installed")

// A bench is one run of all measurements.
type bench struct {
	options
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
