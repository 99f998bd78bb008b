package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mmtrace/mmtrace/internal/shmem"
	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/shm"
)

// shmFormats are the formats of a listing, the default first, by the ends of files'
// names that stand for them.
var shmFormats = []struct {
	name, ext string
	write     func(io.Writer, *shm.Listing, export.ShmOptions) error
}{
	{"text", ".txt", export.ShmText},
	{"json", ".json", export.ShmJSON},
}

func newShm(args []string, s streams, code *int) *cobra.Command {
	o := newOptions()
	o.format.choices = []string{shmFormats[0].name, shmFormats[1].name}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "shm",
		Short: "List shared memory that nobody seems to use",
		Long: `List shared memory that takes memory although nobody seems to use it: objects in
/dev/shm that no process maps or has open, and System V segments that are
attached nowhere. And what only processes hold: memfds that are open and not
mapped, files in memory that were deleted, segments that are marked for removal.
Each comes with the command to go on with. Nothing is traced and nothing changed.`,
		Example: `sudo mmtrace shm
sudo mmtrace shm -T 0
sudo mmtrace shm --json | jq .totals`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				if o.format.word == "text" {
					return &usageError{msg: "--json and -F text exclude each other"}
				}
				o.format.word = "json"
			}
			exit, err := listShm(args, o, s)
			*code = exit
			return err
		},
	}
	g := grouped(cmd.Flags(), groupReport)
	g.VarP(&o.top, "top", "T", "pieces of memory to show of each sort; 0: all")
	g.BoolVar(&o.strict, "strict", false, "exit with 6 if anything could not be seen")
	g.done()
	g = grouped(cmd.Flags(), groupOutput)
	g.BoolVar(&asJSON, "json", false, "the same as -F json")
	g.done()
	o.addOutput(cmd.Flags(), "write to FILE (.txt or .json); - is stdout; may be repeated")
	g = grouped(cmd.Flags(), groupOutput)
	g.Var(&o.colour, "color", orList(o.colour.choices))
	g.BoolVarP(&o.quiet, "quiet", "q", false, "no notes")
	g.done()
	completeFlags(cmd)
	return cmd
}

// listShm looks at the machine's shared memory, writes o's outputs and returns the
// exit code. args is the command line, for advice.
func listShm(args []string, o *options, s streams) (int, error) {
	outs, err := o.shmOutputs()
	if err != nil {
		return exitUsage, err
	}
	if err := o.checkOutputs(); err != nil {
		return exitFailure, err
	}
	inv, err := shmem.Scan(shmem.Options{Self: true})
	if err != nil {
		return exitFailure, err
	}
	l := shm.Judge(inv)
	for _, out := range outs {
		if err := out.write(s, func(w io.Writer) error { return o.writeShm(w, l, out, s) }); err != nil {
			return exitFailure, err
		}
	}
	seen := &l.Seen
	if n := seen.Denied; n > 0 && !o.quiet {
		fmt.Fprintf(s.err, "mmtrace: %d of %d processes may not be looked at\n", n, n+seen.Processes)
		if !runsAsRoot() {
			writeAdvice(s.err, []advice{{"try:", withSudo(args)}})
		} else {
			writeAdvice(s.err, []advice{{"try:", "start the container or service with cap_sys_ptrace and cap_dac_read_search"}})
		}
	}
	if o.strict && (!seen.All() || len(seen.Errors) > 0) {
		return exitIncomplete, nil
	}
	return exitOK, nil
}

// writeShm writes l in the format of out.
func (o *options) writeShm(w io.Writer, l *shm.Listing, out output, s streams) error {
	e := o.exportOptions(stream{})
	if out.path == stdoutPath {
		e = o.exportOptions(s.out)
	}
	for _, f := range shmFormats {
		if f.name == string(out.format) {
			return f.write(w, l, export.ShmOptions{Tool: tool(), Width: e.Width, Color: e.Color, Top: e.Top})
		}
	}
	return fmt.Errorf("writing a listing as %q: %w", out.format, export.ErrFormat)
}

// shmOutputs turns -o and -F into outputs, which checkOutputs finds in o, too.
func (o *options) shmOutputs() ([]output, error) {
	paths := o.paths.words
	if len(paths) == 0 {
		paths = []string{stdoutPath}
	}
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[filepath.Clean(path)] {
			return nil, &usageError{msg: fmt.Sprintf("-o %s is given twice", path)}
		}
		seen[filepath.Clean(path)] = true
		format, err := o.shmFormat(path)
		if err != nil {
			return nil, err
		}
		o.outputs = append(o.outputs, output{path, format})
	}
	return o.outputs, nil
}

// shmFormat returns the format for a path: that of its extension, else -F.
func (o *options) shmFormat(path string) (export.Format, error) {
	for _, f := range shmFormats {
		if path != stdoutPath && strings.HasSuffix(strings.ToLower(path), f.ext) {
			return export.Format(f.name), nil
		}
	}
	switch {
	case o.format.word != "":
		return export.Format(o.format.word), nil
	case path == stdoutPath:
		return export.Format(shmFormats[0].name), nil
	}
	return "", &usageError{msg: fmt.Sprintf("-o %s: the name does not end in .txt or .json", path),
		advice: []advice{{"or:", "add -F text|json"}}}
}
