//go:build linux

package probe

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/pkg/event"
	"github.com/mmtrace/mmtrace/pkg/interval"
	"github.com/mmtrace/mmtrace/pkg/stack"
)

// fill gives every number in v a value of its own, with bits in each byte, and
// returns the next value.
func fill(v reflect.Value, next uint64) uint64 {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				next = fill(v.Field(i), next)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			next = fill(v.Index(i), next)
		}
	case reflect.Int64:
		v.SetInt(int64(next * 0x0101010101010101))
		next++
	case reflect.Int8: // a name
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(next * 0x0101010101010101 >> (64 - v.Type().Bits()))
		next++
	default:
		panic("a field of kind " + v.Kind().String())
	}
	return next
}

// bytesOf returns the memory of *p.
func bytesOf[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}

// Every field of the kernel side's record is read, from where the compiler of
// the kernel side has put it.
func TestRecordLayout(t *testing.T) {
	for kind := uint32(event.Mmap); kind <= uint32(event.Dup); kind++ {
		if k := event.Kind(kind); event.End < k && k < event.ShmGet {
			continue // those of user space
		}
		var r bpfRecord
		fill(reflect.ValueOf(&r).Elem(), 1)
		r.Kind = kind
		r.Seq = 0 // with a number, After is of no use
		var got event.Event
		if err := event.Decode(bytesOf(&r), &got); err != nil {
			t.Fatalf("kind %d: %v", kind, err)
		}
		want := event.Event{
			Kind: event.Kind(kind), Marks: event.Mark(r.Marks), After: r.After, Time: event.Time(r.Time),
			TotalVM: r.TotalVm, Brk: r.Brk, Args: r.Args, Ret: r.Ret, Aux: r.Aux, Stack: stack.ID(r.Stack), Lost: r.Lost,
			Space: event.SpaceID(r.Space), PID: event.PID(r.Tgid), TID: event.TID(r.Tid),
		}
		switch want.Kind {
		case event.Mmap:
			want.Args[4] = uint64(int32(r.Args[4]))
		case event.Fork, event.Exec:
			want.Name = string(bytesOf(&r.Args)[:16])
			want.Args = [6]uint64{}
			want.Parent, want.ParentSeq, want.After = event.SpaceID(r.Parent), r.After, 0
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kind %s (-struct +decoded):\n%s", want.Kind, diff)
		}
	}
}

func TestRecordLayoutOfSeq(t *testing.T) {
	r := bpfRecord{Kind: uint32(event.Munmap), Seq: 0x0102030405060708, After: 9}
	var got event.Event
	if err := event.Decode(bytesOf(&r), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(event.Event{Kind: event.Munmap, Seq: r.Seq}, got); diff != "" {
		t.Errorf("(-struct +decoded):\n%s", diff)
	}
}

func TestStackRecordLayout(t *testing.T) {
	var r bpfStackRecord
	fill(reflect.ValueOf(&r).Elem(), 1)
	r.Kind = uint32(event.StackDef)
	for _, n := range []int{0, 1, len(r.Frames)} {
		r.Count = uint32(n)
		var got event.Event
		header := unsafe.Offsetof(r.Frames)
		if err := event.Decode(bytesOf(&r)[:header+uintptr(n)*8], &got); err != nil {
			t.Fatal(err)
		}
		want := event.Event{
			Kind: event.StackDef, Aux: uint64(r.Flags), Stack: stack.ID(r.Stack), Space: event.SpaceID(r.Space),
			Frames: append([]uint64{}, r.Frames[:n]...),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d frames (-struct +decoded):\n%s", n, diff)
		}
	}
}

func TestCodeRecordLayout(t *testing.T) {
	var r bpfCodeRecord
	fill(reflect.ValueOf(&r).Elem(), 1)
	r.Kind, r.Modified, r.Dev = uint32(event.NewCode), -7, 0x801<<20|0x12345
	header := unsafe.Offsetof(r.Names)
	for names, want := range map[string]string{
		"":                            "",
		"libc.so\x00lib\x00usr\x00":   "/usr/lib/libc.so",
		"a\x00":                       "/a",
		strings.Repeat("x\x00", 1024): strings.Repeat("/x", 1024),
	} {
		r.Length = uint32(len(names))
		for i := range names {
			r.Names[i] = int8(names[i])
		}
		var got event.Event
		if err := event.Decode(bytesOf(&r)[:header+uintptr(len(names))], &got); err != nil {
			t.Fatal(err)
		}
		want := event.Event{Kind: event.NewCode, Space: event.SpaceID(r.Space), Lost: r.Lost, Code: &event.Code{
			Range: interval.Range{Start: r.Start, End: r.End}, Page: r.Page, Name: want,
			File: event.FileID{Dev: 0x801<<32 | 0x12345, Inode: r.Inode, Size: r.Size, Modified: -7e9 + int64(r.ModifiedNs)},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.20q (-struct +decoded):\n%s", names, diff)
		}
	}
}

func TestStackCopyLayout(t *testing.T) {
	var r bpfStackCopy
	for i := range r.Data {
		r.Data[i] = byte(i % 251)
	}
	r.Kind, r.Stack, r.Pc, r.Sp, r.Fp, r.Lr = uint32(event.StackCopy), 0x0102, 0x0304, 0x0506, 0x0708, 0x090a
	header := unsafe.Offsetof(r.Data)
	for _, n := range []int{0, 1, len(r.Data)} {
		r.Length, r.Call, r.Fresh = uint32(n), uint32(n&1), uint32(1-n&1)
		var got event.Event
		if err := event.Decode(bytesOf(&r)[:header+uintptr(n)], &got); err != nil {
			t.Fatal(err)
		}
		want := event.Event{Kind: event.StackCopy, Stack: stack.ID(r.Stack), Copy: &event.Copy{
			PC: r.Pc, SP: r.Sp, FP: r.Fp, LR: r.Lr, Call: r.Call != 0, Fresh: r.Fresh != 0,
			Data: append([]byte{}, r.Data[:n]...),
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d bytes (-struct +decoded):\n%s", n, diff)
		}
	}
}
