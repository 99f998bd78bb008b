package unwind

import (
	"math"

	"github.com/mmtrace/mmtrace/internal/symbol"
)

// goKinds are the functions of the Go runtime that do not keep the chain of
// frame pointers: the ends of it, and what the kernel returns to from a
// handler.
var goKinds = map[string]Kind{
	"runtime.goexit":               Root,
	"runtime.mstart":               Root,
	"runtime.mcall":                Root,
	"runtime.rt0_go":               Root,
	"_rt0_amd64":                   Root,
	"_rt0_amd64_linux":             Root,
	"_rt0_arm64_linux":             Root,
	"runtime.sigreturn":            Signal,
	"runtime.sigreturn__sigaction": Signal,
}

// goSpan returns the range of the Go functions as far as it lies in a segment;
// without any an empty range beyond all addresses.
func (b *builder) goSpan(code *symbol.Code) span {
	none := span{math.MaxUint64, 0}
	if code.Go == nil {
		return none
	}
	s := span{code.Go.Start, code.Go.End}
	if !inSegment(code.Text, s) {
		return none
	}
	return s
}

// golang writes the rows of the Go functions in s: one of frame pointers, cut
// by the functions of goKinds.
func (b *builder) golang(s span, code *symbol.GoCode) {
	b.skip(s.begin)
	at := s.begin
	code.Functions(func(start uint64, name string) {
		if start < at || start >= s.end {
			return
		}
		b.out.add(start, b.intern(b.goRule(start, name, code)))
		at = start
		if name != "runtime.asmcgocall" {
			return
		}
		if call, ok := b.switches(start); ok && call+callSize < s.end {
			b.out.add(call, b.intern(Info{Kind: Switch}))
			b.out.add(call+callSize, b.intern(Info{Kind: FramePointer}))
			at = call + callSize
		}
	})
	b.end = max(b.end, s.end)
}

// goRule returns the rule of a function.
func (b *builder) goRule(start uint64, name string, code *symbol.GoCode) Info {
	if kind, ok := goKinds[name]; ok {
		return Info{Kind: kind}
	}
	if name == "crosscall2" {
		return b.crosscall(code.Depth(start))
	}
	return Info{Kind: FramePointer}
}

// crosscall returns the rule of the function through which C calls Go. The
// frames that it has had in releases of Go differ in their depth.
func (b *builder) crosscall(depth int32) Info {
	for _, in := range b.arch.crosscalls {
		if in.Off == depth+b.arch.pushed {
			return in
		}
	}
	return Info{Kind: FramePointer}
}
