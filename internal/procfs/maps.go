package procfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// The longest line holds a path of PATH_MAX bytes, each of them escaped.
const maxMapsLine = 32 << 10

// ParseMaps reads the regions of a /proc/PID/maps file, in the file's order,
// which is that of addresses. [vsyscall] is left out: it is no part of the
// address space (total_vm does not count it, munmap cannot remove it). Equal
// paths share one string. A line that is no region is an error with its number.
func ParseMaps(r io.Reader) ([]event.Region, error) {
	br := bufio.NewReaderSize(r, maxMapsLine)
	regions := make([]event.Region, 0, 64)
	paths := interner{}
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if len(line) == 0 && err == io.EOF {
			return regions, nil
		}
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: not terminated: %.80q", n, line)
		}
		reg, path, ok := parseRegion(line[:len(line)-1])
		if !ok {
			return nil, fmt.Errorf("line %d: not a region: %.80q", n, line[:len(line)-1])
		}
		if string(path) == "[vsyscall]" {
			continue
		}
		reg.Path = paths.intern(path)
		regions = append(regions, reg)
	}
}

// parseRegion takes a line of maps apart, as show_map_vma (fs/proc/task_mmu.c)
// writes it. The path stays escaped and belongs to line:
//
//	7f5c0a000000-7f5c0a021000 rw-p 00001000 08:01 131      /usr/lib/libc.so.6
func parseRegion(line []byte) (reg event.Region, path []byte, ok bool) {
	c := cursor{line, true}
	reg.Start = c.hex('-')
	reg.End = c.hex(' ')
	reg.Prot, reg.Shared = c.perms()
	reg.Offset = c.hex(' ')
	reg.Dev = c.hex(':') << 32
	reg.Dev |= c.hex(' ')
	reg.Inode = c.decimal()
	if !c.ok || reg.End <= reg.Start {
		return event.Region{}, nil, false
	}
	path = bytes.TrimLeft(c.rest, " ")
	if len(c.rest) > 0 && len(path) == len(c.rest) {
		return event.Region{}, nil, false // digits ran into something else
	}
	return reg, path, true
}

// A cursor takes fields off the front of rest. After a field that is not there
// ok is false, and what the methods return means nothing.
type cursor struct {
	rest []byte
	ok   bool
}

// hex takes a hexadecimal number and the byte that ends it.
func (c *cursor) hex(end byte) uint64 {
	var v uint64
	for i, b := range c.rest {
		var d byte
		switch {
		case '0' <= b && b <= '9':
			d = b - '0'
		case 'a' <= b && b <= 'f':
			d = b - 'a' + 10
		case b == end && 0 < i && i <= 16:
			c.rest = c.rest[i+1:]
			return v
		default:
			c.ok = false
			return 0
		}
		v = v<<4 | uint64(d)
	}
	c.ok = false
	return 0
}

// decimal takes a decimal number of at most 19 digits or up to 1<<64-1.
func (c *cursor) decimal() uint64 {
	var v uint64
	i := 0
	for ; i < len(c.rest) && '0' <= c.rest[i] && c.rest[i] <= '9'; i++ {
		d := uint64(c.rest[i] - '0')
		if v > (^uint64(0)-d)/10 {
			c.ok = false
			return 0
		}
		v = v*10 + d
	}
	c.ok = c.ok && i > 0
	c.rest = c.rest[i:]
	return v
}

// perms takes the four letters of the protection and the space after them.
func (c *cursor) perms() (prot event.Prot, shared bool) {
	if len(c.rest) < 5 || c.rest[4] != ' ' {
		c.ok = false
		return 0, false
	}
	bits := [3]event.Prot{event.ProtRead, event.ProtWrite, event.ProtExec}
	for i, bit := range bits {
		switch c.rest[i] {
		case "rwx"[i]:
			prot |= bit
		case '-':
		default:
			c.ok = false
		}
	}
	if k := c.rest[3]; k != 's' && k != 'p' {
		c.ok = false
	}
	shared = c.rest[3] == 's'
	c.rest = c.rest[5:]
	return prot, shared
}

// An interner gives equal paths one string. Neighbouring lines mostly share
// theirs, so the last one is tried first.
type interner struct {
	last, lastRaw string
	known         map[string]string // escaped to unescaped
}

func (in *interner) intern(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if string(raw) == in.lastRaw {
		return in.last
	}
	s, ok := in.known[string(raw)]
	if !ok {
		if in.known == nil {
			in.known = map[string]string{}
		}
		s = unescape(raw)
		in.known[string(raw)] = s
	}
	in.last, in.lastRaw = s, string(raw)
	return s
}

// unescape undoes what seq_path (fs/seq_file.c) does with the set "\n", the one
// that maps uses: a newline becomes \012, and a backslash stays as it is. A
// file that has \012 in its name cannot be told from one with a newline.
func unescape(raw []byte) string {
	return string(bytes.ReplaceAll(raw, []byte(`\012`), []byte("\n")))
}
