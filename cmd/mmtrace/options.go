package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const (
	defaultWindow = 30 * time.Second
	defaultBuffer = 64 << 20
	minBuffer     = 64 << 10 // bytes
	maxBuffer     = 1 << 30
)

// options is the command line, checked. A verb has those flags that make sense
// for it; the other fields keep their defaults.
type options struct {
	pids     pidsValue
	names    wordsValue
	command  []string      // what came after "--"
	duration durationValue // of the window; 0: until interrupted, or the command's end
	when     triggersValue // tracing begins when one holds
	follow   bool
	asRoot   bool
	buffer   sizeValue // of the ring buffer, a power of two
	order    choiceValue
	overhead percentValue // that tracing may take; 0: no limit

	paths       wordsValue // -o as it was given
	outputs     []output   // where reports go, in the order of -o
	recording   string     // file to record the trace to; "" if none
	format      choiceValue
	top         countValue // 0: all
	minSize     sizeValue
	maxSize     sizeValue // 0: no bound
	older       durationValue
	include     patternsValue
	exclude     patternsValue
	tail        tailValue
	sort        choiceValue
	all         bool // list every call path in full
	foldedValue choiceValue

	noNext bool // leave out the commands to go on with

	noResident bool // do not look up what is in memory
	failOn     conditionsValue
	suppFiles  wordsValue
	suppressed []report.Suppression // what suppFiles hold

	strict  bool
	quiet   bool
	verbose int
	colour  choiceValue
}

func newOptions() *options {
	return &options{
		names:       wordsValue{kind: "NAME"},
		duration:    durationValue(defaultWindow),
		buffer:      defaultBuffer,
		order:       choiceValue{"auto", []string{"auto", "lock", "calls"}, "WAY"},
		paths:       wordsValue{kind: "FILE"},
		suppFiles:   wordsValue{kind: "FILE"},
		tail:        tailValue{text: "10%"}, // as verdicts have it
		format:      choiceValue{"", export.Formats(), "FORMAT"},
		top:         export.DefaultTop,
		sort:        choiceValue{export.Sorts()[0], export.Sorts(), "KEY"},
		foldedValue: choiceValue{export.FoldedValues()[0], export.FoldedValues(), "VALUE"},
		colour:      choiceValue{"auto", []string{"auto", "always", "never"}, "WHEN"},
	}
}

// Groups of flags, in the order in which help shows them.
const (
	groupTarget = "What to trace"
	groupReport = "What to report"
	groupOutput = "Where it goes"
	groupOther  = "Other"
)

var flagGroups = []string{groupTarget, groupReport, groupOutput, groupOther}

// addTarget adds the flags that choose what to trace.
func (o *options) addTarget(fs *pflag.FlagSet) {
	g := grouped(fs, groupTarget)
	g.VarP(&o.pids, "pid", "p", "process to trace; may be repeated, or a list: 42,43")
	g.Var(&o.names, "name", "trace the processes of this name")
	g.VarP(&o.duration, "duration", "d", "how long; 0: until Ctrl-C, or the command's end")
	g.Var(&o.when, "when", "wait until this holds, then trace: 'rss>2G'; may be repeated")
	g.BoolVarP(&o.follow, "follow", "f", false, "trace the processes that it forks, too")
	g.BoolVar(&o.asRoot, "as-root", false, "under sudo, keep the command after -- root")
	g.Var(&o.buffer, "buffer", "memory for events that were not read yet")
	g.Var(&o.overhead, "max-overhead", "leave out call stacks where tracing takes more of the CPU time: 5%")
	g.Var(&o.order, "order", "by what to order changes: "+orList(o.order.choices))
	g.BoolVar(&o.noResident, "no-resident", false, "do not look up how much of each mapping is in memory")
	g.done()
}

// addReport adds the flags that choose what a report shows.
func (o *options) addReport(fs *pflag.FlagSet) {
	g := grouped(fs, groupReport)
	g.VarP(&o.top, "top", "T", "call paths to show; 0: all")
	g.BoolVar(&o.all, "all", false, "list every call path, not only those that grow")
	g.VarP(&o.minSize, "min-size", "z", "leave out call paths that hold less")
	g.VarP(&o.maxSize, "max-size", "Z", "leave out call paths that hold more; 0: no limit")
	g.Var(&o.older, "older", "leave out call paths without a mapping of this age")
	g.VarP(&o.include, "include", "I", "list only call paths with a frame that matches this regexp")
	g.VarP(&o.exclude, "exclude", "X", "leave out call paths with a frame that matches this one")
	g.Var(&o.sort, "sort", "order by "+orList(o.sort.choices))
	g.Var(&o.foldedValue, "folded-value", "what folded stacks count: "+orList(o.foldedValue.choices))
	o.addVerdict(g)
	g.done()
}

// addVerdict adds the flags that choose the exit code.
func (o *options) addVerdict(g flagGroup) {
	g.Var(&o.tail, "tail", "newest part of the window that no verdict counts")
	g.Var(&o.suppFiles, "suppressions", "file of leak:PATTERN lines: what is no leak")
	g.Var(&o.failOn, "fail-on", "exit with 3 if this holds: 'leaked>10M'; may be repeated")
	g.BoolVar(&o.strict, "strict", false, "exit with 6 if anything was lost")
}

// addOutput adds -o, what is said of it, and the flags that choose a format.
func (o *options) addOutput(fs *pflag.FlagSet, usage string) {
	g := grouped(fs, groupOutput)
	g.VarP(&o.paths, "output", "o", usage)
	g.VarP(&o.format, "format", "F", orList(o.format.choices)+", where the file's name does not tell")
	g.done()
}

// addMessages adds the flags that choose what a run tells while it works.
func (o *options) addMessages(fs *pflag.FlagSet) {
	g := grouped(fs, groupOutput)
	g.Var(&o.colour, "color", orList(o.colour.choices))
	g.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no notes")
	g.CountVarP(&o.verbose, "verbose", "v", "tell more; may be repeated")
	g.done()
}

// finish checks what single flags cannot, and fills in outputs and recording.
func (o *options) finish() error {
	switch {
	case o.maxSize > 0 && o.maxSize < o.minSize:
		return &usageError{msg: fmt.Sprintf("-Z %s is less than -z %s: no call path is left", &o.maxSize, &o.minSize)}
	case o.quiet && o.verbose > 0:
		return &usageError{msg: "-q and -v exclude each other"}
	case o.buffer < minBuffer || o.buffer > maxBuffer:
		return &usageError{msg: fmt.Sprintf("--buffer wants 64K to 1G, got %s", &o.buffer)}
	}
	if err := o.checkResident(); err != nil {
		return err
	}
	if err := o.checkWhen(); err != nil {
		return err
	}
	if err := o.checkTail(); err != nil {
		return err
	}
	if err := o.readSuppressions(); err != nil {
		return err
	}
	o.buffer = powerOfTwo(o.buffer)
	return o.resolveOutputs()
}

// powerOfTwo returns n, or the next power of two above it.
func powerOfTwo(n sizeValue) sizeValue {
	p := sizeValue(1)
	for p < n {
		p <<= 1
	}
	return p
}

// checkTarget checks that there is exactly one kind of target, and takes the
// process ids among the arguments, which precede "--".
func (o *options) checkTarget(args, command []string) error {
	for _, a := range args {
		pid, ok := parsePID(a)
		if !ok {
			return notAVerb(a)
		}
		if err := o.pids.Set(fmt.Sprint(pid)); err != nil {
			return err
		}
	}
	o.command = command
	chosen := len(o.pids) + len(o.names.words)
	switch {
	case chosen > 0 && len(command) > 0:
		return &usageError{msg: fmt.Sprintf("a process (%s) and a command after -- (%s) exclude each other",
			o.targets(), shellQuote(command[0]))}
	case chosen == 0 && len(command) == 0:
		return noTarget()
	case o.asRoot && len(command) == 0:
		return &usageError{msg: "--as-root is about a command after --, and there is none"}
	}
	return nil
}

// targets names the processes that were asked for, as on the command line.
func (o *options) targets() string {
	var words []string
	if len(o.pids) > 0 {
		words = append(words, "-p "+o.pids.String())
	}
	for _, n := range o.names.words {
		words = append(words, "--name "+quoteWord(n))
	}
	return strings.Join(words, " ")
}

// exportOptions returns what the exporters need to know, for a report that goes
// to s; a zero stream stands for a file.
func (o *options) exportOptions(s stream) export.Options {
	top := int(o.top)
	if top == 0 {
		top = -1
	}
	return export.Options{
		Filter: export.Filter{
			Top: top, MinSize: uint64(o.minSize), MaxSize: uint64(o.maxSize),
			Older: event.Time(o.older), Sort: o.sort.word, Include: o.include, Exclude: o.exclude,
		},
		Width:  s.width,
		Color:  s.Writer != nil && s.useColour(o.colour.word),
		Value:  o.foldedValue.word,
		NoNext: o.noNext,
		All:    o.all,
	}
}
