package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"

	"github.com/mmtrace/mmtrace/pkg/export"
	"github.com/mmtrace/mmtrace/pkg/report"
)

const (
	stdoutPath   = "-"
	recordingExt = ".mmtrace"
)

// An output is one place for a report.
type output struct {
	path   string // stdoutPath for standard output
	format export.Format
}

// An outputError says that an output cannot be written.
type outputError struct {
	path string
	err  error
}

func (e *outputError) Error() string { return fmt.Sprintf("writing %s: %v", e.path, e.err) }
func (e *outputError) Unwrap() error { return e.err }

// resolveOutputs turns -o and -F into outputs and a recording. Without an -o
// for a report, that goes to standard output, or, beside a command, which has
// that for itself, to standard error: the output's path is then "".
func (o *options) resolveOutputs() error {
	seen := map[string]bool{}
	for _, path := range o.paths.words {
		if clean := filepath.Clean(path); seen[clean] {
			return &usageError{msg: fmt.Sprintf("-o %s is given twice", path)}
		} else {
			seen[clean] = true
		}
		if strings.HasSuffix(path, recordingExt) {
			if o.recording != "" {
				return &usageError{msg: fmt.Sprintf("one recording is enough: -o %s, -o %s", o.recording, path)}
			}
			o.recording = path
			continue
		}
		format, err := o.formatOf(path)
		if err != nil {
			return err
		}
		o.outputs = append(o.outputs, output{path, format})
	}
	if len(o.outputs) > 0 {
		return o.checkHalves()
	}
	path := stdoutPath
	if len(o.command) > 0 {
		path = ""
	}
	format, err := o.formatOf(stdoutPath)
	o.outputs = []output{{path, format}}
	return errors.Join(err, o.checkHalves())
}

// checkHalves checks that what is to be compared half-way is known then.
func (o *options) checkHalves() error {
	for _, out := range o.outputs {
		if out.format == export.FormatDiff && o.foldedValue.word == "resident" {
			return &usageError{msg: "folded-diff and --folded-value resident exclude each other: " +
				"what is in memory is looked up at the end only"}
		}
	}
	return nil
}

// formatOf returns the format for a path: that of its extension, else -F.
func (o *options) formatOf(path string) (export.Format, error) {
	name := o.format.word
	if path != stdoutPath {
		format, err := export.ForPath(path)
		if err == nil {
			return format, nil
		}
		if name == "" {
			return "", &usageError{msg: fmt.Sprintf("-o %s: the name does not end in %s", path, orList(knownExtensions())),
				advice: []advice{{"or:", "add -F " + strings.Join(export.Formats(), "|")}}}
		}
	}
	if name == "" {
		name = string(export.FormatText)
	}
	return export.ForName(name)
}

func knownExtensions() []string { return append(export.Extensions(), recordingExt) }

// checkOutputs finds out whether all files can be written, before a window is
// spent on what cannot be kept. Files that exist stay as they are.
func (o *options) checkOutputs() error {
	paths := []string{o.recording}
	for _, out := range o.outputs {
		paths = append(paths, out.path)
	}
	for _, path := range paths {
		if path == "" || path == stdoutPath {
			continue
		}
		if err := checkWritable(path); err != nil {
			return &outputError{path, bareCause(err)}
		}
	}
	return nil
}

func checkWritable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkDir(filepath.Dir(path))
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory")
	case info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
	return nil // a pipe or device; opening one can block or do things
}

// checkDir finds out whether a file can be made in a directory by making one.
func checkDir(dir string) error {
	f, err := os.CreateTemp(dir, ".mmtrace-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// bareCause drops the name of a file from err, where the caller says it.
func bareCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// writeReport writes r to all outputs. One that fails does not keep the others
// from being written.
func (o *options) writeReport(s streams, r *report.Report) error {
	var errs []error
	for _, out := range o.outputs {
		var to stream // a file: neither colour nor width
		switch out.path {
		case stdoutPath:
			to = s.out
		case "":
			to = s.err
		}
		errs = append(errs, out.write(s, func(w io.Writer) error {
			return export.Write(w, out.format, r, o.exportOptions(to))
		}))
	}
	return errors.Join(errs...)
}

// write hands fill a writer to the output. A file appears whole or not at all,
// except where it cannot be replaced (a device, a directory of somebody else's):
// then it is written in place.
func (out output) write(s streams, fill func(io.Writer) error) error {
	switch out.path {
	case stdoutPath:
		return out.wrap("standard output", unlessGone(flushed(s.out.Writer, fill)))
	case "":
		return out.wrap("standard error", unlessGone(flushed(s.err.Writer, fill)))
	}
	if info, err := os.Stat(out.path); err == nil && !info.Mode().IsRegular() {
		return out.wrap(out.path, writeInPlace(out.path, fill))
	}
	return out.wrap(out.path, writeFile(out.path, fill))
}

// unlessGone drops the error of a reader that had seen enough: "| head".
func unlessGone(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (out output) wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return &outputError{name, bareCause(err)}
}

func flushed(w io.Writer, fill func(io.Writer) error) error {
	bw := bufio.NewWriter(w)
	if err := fill(bw); err != nil {
		return err
	}
	return bw.Flush()
}

func writeFile(path string, fill func(io.Writer) error) (err error) {
	if target, lerr := filepath.EvalSymlinks(path); lerr == nil && target != filepath.Clean(path) {
		// Replace what a link points to, not the link, if the kernel follows it: one
		// that somebody else made in /tmp is none to follow for root.
		if err := followed(path, target); err != nil {
			return err
		}
		path = target
	}
	who, give := ownerOf(path)
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if errors.Is(err, fs.ErrPermission) {
		return writeInPlace(path, fill)
	}
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if give {
		who.give(f.File)
	}
	if err := flushed(f, fill); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// followed returns nil if the kernel opens target, too, when it opens path.
func followed(path, target string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	opened, err1 := f.Stat()
	meant, err2 := os.Lstat(target)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !os.SameFile(opened, meant) {
		return errors.New("the link changes")
	}
	return nil
}

func writeInPlace(path string, fill func(io.Writer) error) (err error) {
	f, err := create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	return flushed(f, fill)
}

// create opens a file for writing, empty.
func create(path string) (*os.File, error) {
	who, give := ownerOf(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|os.O_CREATE, 0o644)
	if err == nil && give {
		who.give(f)
	}
	return f, err
}
