// Package export writes a report in the formats that people and programs read,
// one file per format. It touches nothing but the io.Writer it is given: equal
// reports and options give equal bytes.
package export

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// A Format names an output format.
type Format string

// The formats.
const (
	FormatText   Format = "text"
	FormatFolded Format = "folded"
	FormatJSON   Format = "json"
	FormatDiff   Format = "folded-diff"
	FormatPprof  Format = "pprof"
)

var (
	// ErrFormat means that no format has the given name or file extension.
	ErrFormat = errors.New("unknown format")
	// ErrOption means that an option has a value that it cannot take.
	ErrOption = errors.New("unknown value")
	// ErrUnknown means that what is to be written is residence, and that this was
	// not looked up.
	ErrUnknown = errors.New("it is not known how much is in memory")
)

// formats lists every format with the file extension that stands for it, in the
// order in which help texts name them.
var formats = []struct {
	format Format
	ext    string
	write  func(io.Writer, *report.Report, Options) error
}{
	{FormatText, ".txt", func(w io.Writer, r *report.Report, o Options) error {
		return Text(w, r, TextOptions{o.Filter, o.Width, o.Color, o.FullNames, o.NoNext, o.All})
	}},
	{FormatFolded, ".folded", func(w io.Writer, r *report.Report, o Options) error {
		return Folded(w, r, FoldedOptions{o.Filter, o.Value, o.NoComm, o.Addrs})
	}},
	{FormatDiff, ".diff.folded", func(w io.Writer, r *report.Report, o Options) error {
		return FoldedDiff(w, r, FoldedOptions{o.Filter, o.Value, o.NoComm, o.Addrs})
	}},
	{FormatJSON, ".json", func(w io.Writer, r *report.Report, o Options) error {
		return JSON(w, r, JSONOptions{o.Filter})
	}},
	{FormatPprof, ".pb.gz", func(w io.Writer, r *report.Report, o Options) error {
		return Pprof(w, r, PprofOptions{o.Filter, o.NoDuration})
	}},
}

// Options holds the options of all formats; each takes what concerns it. The
// zero value is what a person gets who asks for nothing.
type Options struct {
	Filter

	Width     int    // TextOptions.Width
	Color     bool   // TextOptions.Color
	FullNames bool   // TextOptions.FullNames
	NoNext    bool   // TextOptions.NoNext
	All       bool   // TextOptions.All
	Value     string // FoldedOptions.Value
	NoComm    bool   // FoldedOptions.NoComm
	Addrs     bool   // FoldedOptions.Addrs

	NoDuration bool // PprofOptions.NoDuration
}

// Formats returns the names of all formats, the default first.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f.format)
	}
	return names
}

// Extensions returns the file extensions that ForPath knows, in the order of
// Formats.
func Extensions() []string {
	exts := make([]string, len(formats))
	for i, f := range formats {
		exts[i] = f.ext
	}
	return exts
}

// ForName returns the format of the given name, else an error that wraps
// ErrFormat and lists the names.
func ForName(name string) (Format, error) {
	for _, f := range formats {
		if string(f.format) == name {
			return f.format, nil
		}
	}
	return "", fmt.Errorf("choosing format %q: %w; want one of %s",
		name, ErrFormat, strings.Join(Formats(), ", "))
}

// ForPath returns the format that the extension of path stands for, the longest
// one that fits, else an error that wraps ErrFormat and lists the extensions. Upper
// and lower case are the same.
func ForPath(path string) (Format, error) {
	best := -1
	for i, f := range formats {
		if strings.HasSuffix(strings.ToLower(path), f.ext) && (best < 0 || len(f.ext) > len(formats[best].ext)) {
			best = i
		}
	}
	if best < 0 {
		return "", fmt.Errorf("choosing a format for %q: %w; want a name that ends in %s",
			path, ErrFormat, strings.Join(Extensions(), ", "))
	}
	return formats[best].format, nil
}

// Write writes r to w in format f.
func Write(w io.Writer, f Format, r *report.Report, o Options) error {
	for _, e := range formats {
		if e.format == f {
			return e.write(w, r, o)
		}
	}
	return fmt.Errorf("writing a report as %q: %w", f, ErrFormat)
}
