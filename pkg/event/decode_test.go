package event

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// raw returns a record of the kernel side with the given 8-byte words after the
// kind and the marks.
func raw(kind Kind, words ...uint64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(kind))
	b = binary.LittleEndian.AppendUint32(b, 0)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return append(b, make([]byte, max(0, recordSize-len(b)))...)
}

func TestDecodeErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "record too short"},
		{"a part of the kind", []byte{1, 0}, "record too short"},
		{"kind 0", make([]byte, recordSize), "decoding a record: unknown kind 0"},
		{"a kind of user space", raw(Snapshot), "decoding a record: unknown kind 22"},
		{"a kind that is none", raw(numKinds), "decoding a record: unknown kind 28"},
		{"a record without its last byte", raw(Mmap)[:recordSize-1], "record too short"},
		{"a stack without its header", raw(StackDef)[:stackHeaderSize-1], "record too short"},
		{"a stack without its last frame", raw(StackDef, 7, 2<<32)[:stackHeaderSize+15], "record too short"},
		{"a stack of more frames than there can be", append(raw(StackDef, 7, 128<<32), make([]byte, 2000)...), "record too short"},
		{"code without its header", raw(NewCode)[:codeHeaderSize-1], "record too short"},
		{"code without the last byte of its names", raw(NewCode, 1, 2, 3, 4, 5, 6, 7, 8, 4)[:codeHeaderSize+3], "record too short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ev Event
			if err := Decode(tt.in, &ev); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// A descriptor is an int, whatever the upper half of the register holds.
func TestDecodeTakesDescriptorsAsInts(t *testing.T) {
	var ev Event
	if err := Decode(raw(Mmap, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xffffffff, 0), &ev); err != nil {
		t.Fatal(err)
	}
	if ev.Args[4] != ^uint64(0) {
		t.Errorf("descriptor %#x, want -1", ev.Args[4])
	}
}

// FuzzDecode requires that no record does harm and that what was decoded
// survives both forms.
func FuzzDecode(f *testing.F) {
	for k := Mmap; k <= StackDef; k++ {
		f.Add(raw(k, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
	}
	f.Add(raw(ShmGet, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
	f.Add(raw(Open, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
	f.Add(raw(Dup, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
	f.Add(raw(StackCopy, 1, 2, 3, 4, 5, 1<<32|1))
	f.Add(append(raw(NewCode, 1, 2, 3, 4, 5, 6, 7, 8, 4)[:codeHeaderSize], "a\x00b\x00"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var ev, again Event
		if err := Decode(b, &ev); err != nil {
			if len(b) >= recordSize && errors.Is(err, ErrShort) && b[0] != byte(StackDef) && b[0] != byte(StackCopy) && b[0] != byte(NewCode) {
				t.Errorf("%d bytes: %v", len(b), err)
			}
			return
		}
		if !ev.Kind.Recorded() {
			return
		}
		if len(ev.Frames) == 0 {
			ev.Frames = nil
		}
		if _, err := new(Decoder).Decode(new(Encoder).Append(nil, &ev), &again); err != nil || !cmp.Equal(ev, again) {
			t.Errorf("binary form: error %v\n%s", err, cmp.Diff(ev, again))
		}
		text := string(AppendText(nil, &ev))
		if got, err := readText(text); err != nil || !cmp.Equal([]Event{ev}, got) {
			t.Errorf("text form: error %v\n%s\n%s", err, text, cmp.Diff([]Event{ev}, got))
		}
	})
}
