package unwind

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/mmtrace/mmtrace/internal/procfs"
	"github.com/mmtrace/mmtrace/internal/testutil"
)

// A sample is a walk of the kernel side.
type sample struct {
	start   State
	stopped [4]uint64
	nr      uint64
	frames  []uint64
	stop    Stop
	guessed int
	base    uint64
	copied  []byte // from base on
}

// A kernel is a loaded walk.bpf.c with the tables of one process.
type kernel struct {
	t      testing.TB
	reader *ringbuf.Reader
	prog   *ebpf.Program
	walker Walker
	ranges []CodeRange
	tables []*Table
}

func newKernel(t testing.TB, pid int) *kernel {
	t.Helper()
	spec, err := ebpf.LoadCollectionSpec(compileBPF(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Variables["target"].Set(uint32(pid)); err != nil {
		t.Fatal(err)
	}
	c, err := ebpf.NewCollection(spec)
	if errors.Is(err, os.ErrPermission) {
		testutil.Need(t, "the right to load BPF programs")
	}
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(c.Close)
	k := &kernel{t: t, prog: c.Programs["sampled"]}
	if k.reader, err = ringbuf.NewReader(c.Maps["events"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.reader.Close() })
	k.fill(spec, c, pid)
	l, err := link.AttachTracing(link.TracingOptions{Program: k.prog})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return k
}

// prebuilt names a directory with walk.o, walk/walk and gowalk/gowalk, for machines
// without compilers.
var prebuilt = flag.String("prebuilt", "", "`directory` of built fixtures")

// compileBPF builds the test's kernel side.
func compileBPF(t testing.TB) string {
	t.Helper()
	if *prebuilt != "" {
		return filepath.Join(*prebuilt, "walk.o")
	}
	cc, err := exec.LookPath("clang-19")
	if err != nil {
		testutil.Need(t, "clang-19")
	}
	obj := filepath.Join(t.TempDir(), "walk.o")
	out, err := exec.Command(cc, "-target", "bpf", "-g", "-O2", "-mcpu=v3", "-Wall", "-Werror",
		"-I", "../../bpf", "-c", "testdata/walk.bpf.c", "-o", obj).CombinedOutput()
	if err != nil {
		t.Fatalf("compiling walk.bpf.c: %v\n%s", err, out)
	}
	return obj
}

// fill makes the tables of the process and hands them over.
func (k *kernel) fill(spec *ebpf.CollectionSpec, c *ebpf.Collection, pid int) {
	t := k.t
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	regions, err := procfs.ParseMaps(f)
	if err != nil {
		t.Fatal(err)
	}
	infos := NewInfos()
	byPath := map[string]int{}
	for _, r := range regions {
		if r.Prot&4 == 0 {
			continue
		}
		e := CodeRange{Start: r.Start, End: r.End, Module: NoModule}
		if i, ok := byPath[r.Path]; ok {
			e.Module = uint32(i)
		} else if table := k.table(pid, r.Path, r.Start, r.End, infos); table != nil {
			e.Module = uint32(len(k.tables))
			byPath[r.Path] = len(k.tables)
			k.tables = append(k.tables, table)
		}
		if e.Module != NoModule {
			e.Bias, _ = k.tables[e.Module].Bias(r.Start, r.Offset)
		}
		k.ranges = append(k.ranges, e)
	}
	k.walker = Walker{Infos: infos, ARM: runtime.GOARCH == "arm64", Find: k.find}
	for i, in := range infos.From(0) {
		must(t, c.Maps["infos"].Put(uint32(i), in))
	}
	for i, table := range k.tables {
		inner := spec.Maps["modules"].InnerMap.Copy()
		inner.MaxEntries = uint32(len(table.Chunks()))
		m := newMap(t, inner)
		for j, chunk := range table.Chunks() {
			must(t, m.Put(uint32(j), chunk))
		}
		must(t, c.Maps["modules"].Put(uint32(i), m))
	}
	inner := spec.Maps["code"].InnerMap.Copy()
	blocks := EncodeCode(k.ranges, 0, 1)
	inner.MaxEntries = uint32(len(blocks))
	m := newMap(t, inner)
	for i, b := range blocks {
		must(t, m.Put(uint32(i), b))
	}
	must(t, c.Maps["code"].Put(uint32(1), m))
}

func newMap(t testing.TB, spec *ebpf.MapSpec) *ebpf.Map {
	t.Helper()
	m, err := ebpf.NewMap(spec)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// table builds the table of a mapped file or of the vdso; nil if it has none.
func (k *kernel) table(pid int, path string, start, end uint64, infos *Infos) *Table {
	var r io.ReaderAt
	size := int64(end - start)
	if strings.HasPrefix(path, "/") {
		f, err := os.Open(path)
		must(k.t, err)
		defer f.Close()
		fi, err := f.Stat()
		must(k.t, err)
		r, size = f, fi.Size()
	} else if path == "[vdso]" {
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		must(k.t, err)
		defer f.Close()
		b := make([]byte, size)
		_, err = f.ReadAt(b, int64(start))
		must(k.t, err)
		r = bytes.NewReader(b)
	} else {
		return nil
	}
	table, err := Build(r, size, infos)
	if path == "[vdso]" && errors.Is(err, ErrNoTable) {
		return nil
	}
	if err != nil {
		k.t.Fatalf("building the table of %s: %v", path, err)
	}
	return table
}

func (k *kernel) find(pc uint64) (Code, bool) {
	for _, r := range k.ranges {
		if r.Start <= pc && pc < r.End {
			c := Code{Bias: r.Bias}
			if r.Module != NoModule {
				c.Table = k.tables[r.Module]
			}
			return c, true
		}
	}
	return Code{}, false
}

// read returns the samples that are there.
func (k *kernel) read() []sample {
	k.t.Helper()
	le := binary.LittleEndian
	var out []sample
	var stack []byte
	k.reader.SetDeadline(time.Now().Add(200 * time.Millisecond))
	for {
		rec, err := k.reader.Read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return out
		}
		must(k.t, err)
		b := rec.RawSample
		if len(b) < 2000 {
			stack = bytes.Clone(b)
			continue
		}
		var s sample
		s.start = Start(le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:]))
		for i := range s.stopped {
			s.stopped[i] = le.Uint64(b[32+8*i:])
		}
		s.nr = le.Uint64(b[64:])
		s.base = le.Uint64(b[72:])
		s.copied = bytes.Clone(b[88:][:le.Uint32(b[84:])])
		flags := le.Uint32(stack[4:])
		s.stop, s.guessed = Stop(flags>>8), int(flags>>16)
		for i := range le.Uint32(stack[20:]) {
			s.frames = append(s.frames, le.Uint64(stack[24+8*i:]))
		}
		out = append(out, s)
	}
}
