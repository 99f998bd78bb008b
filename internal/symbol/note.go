package symbol

import (
	"debug/elf"
	"encoding/hex"
	"strings"
)

// Types of notes: NT_GNU_BUILD_ID of elf.h and the Go linker's own.
const (
	noteGNUBuildID = 3
	noteGoBuildID  = 4
)

// buildID returns the GNU build ID in hexadecimal, else the Go build ID as it
// is, else nothing. Notes are found through the segments, so that a file
// without section headers has one too, and else through the sections.
func (im *image) buildID() string {
	var goID string
	for _, r := range im.noteRanges() {
		b, err := im.src.bytes(r.off, r.size, maxNotes)
		if err != nil {
			continue
		}
		gnu, goid := findIDs(b, im.little(), r.align)
		if gnu != "" {
			return gnu
		}
		if goID == "" {
			goID = goid
		}
	}
	return goID
}

// A noteRange is a piece of the file that holds notes.
type noteRange struct{ off, size, align uint64 }

// noteRanges returns where notes are, those of segments first.
func (im *image) noteRanges() []noteRange {
	var rs []noteRange
	for _, p := range im.Progs {
		if p.Type == elf.PT_NOTE {
			rs = append(rs, noteRange{p.Off, p.Filesz, p.Align})
		}
	}
	for _, s := range im.Sections {
		if s.Type == elf.SHT_NOTE && s.Flags&elf.SHF_COMPRESSED == 0 {
			rs = append(rs, noteRange{s.Offset, s.FileSize, s.Addralign})
		}
	}
	return rs
}

// findIDs returns the first build IDs among the notes in b. Names and
// descriptions are padded to 4 bytes, or to 8 in a piece that is aligned so.
func findIDs(b []byte, little bool, align uint64) (gnu, goID string) {
	if align != 8 {
		align = 4
	}
	for len(b) >= 12 {
		nameLen, descLen, kind := number(b[:4], little), number(b[4:8], little), number(b[8:12], little)
		desc := (12 + nameLen + align - 1) &^ (align - 1)
		if desc+descLen > uint64(len(b)) {
			break
		}
		name := strings.TrimRight(string(b[12:12+nameLen]), "\x00")
		switch value := b[desc : desc+descLen]; {
		case name == "GNU" && kind == noteGNUBuildID && gnu == "":
			gnu = hex.EncodeToString(value)
		case name == "Go" && kind == noteGoBuildID && goID == "":
			goID = strings.TrimRight(string(value), "\x00")
		}
		b = b[min((desc+descLen+align-1)&^(align-1), uint64(len(b))):]
	}
	return gnu, goID
}
