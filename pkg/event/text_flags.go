package event

import "strings"

// mapTypes are the values of the lowest four flags of mmap that have a name.
// Private is not written.
var mapTypes = []word{{"", MapPrivate}, {"shared", MapShared}, {"shared_validate", 3}}

const mapTypeMask = 0xf

func appendMmapFlags(dst []byte, v uint64) []byte {
	begin := len(dst)
	for _, t := range mapTypes {
		if v&mapTypeMask != t.value {
			continue
		}
		if t.name != "" {
			dst = append(append(dst, t.name...), ',')
		}
		if v&MapAnonymous == 0 {
			dst = append(dst, "file,"...)
		}
		more := v &^ (mapTypeMask | MapAnonymous)
		if named := moreMmapFlags.append(nil, more); more != 0 && (len(dst) > begin || named[0] != '0') {
			return append(dst, named...)
		} else if more == 0 && len(dst) > begin {
			return dst[:len(dst)-1]
		}
	}
	return hex.append(dst[:begin], v)
}

func parseMmapFlags(s string) (uint64, bool) {
	if v, ok := parseNumber(s); ok {
		return v, true
	}
	kind, v := uint64(MapPrivate), uint64(MapAnonymous)
next:
	for part := range strings.SplitSeq(s, ",") {
		for _, t := range mapTypes {
			if t.name == part && part != "" {
				kind = t.value
				continue next
			}
		}
		switch part {
		case "private", "anonymous":
			continue
		case "file":
			v &^= MapAnonymous
			continue
		}
		n, ok := moreMmapFlags.parse(part)
		if !ok {
			return 0, false
		}
		v |= n
	}
	return kind | v, true
}

func appendProt(dst []byte, v uint64) []byte {
	if v == 0 {
		return append(dst, "none"...)
	}
	if v > uint64(ProtRead|ProtWrite|ProtExec) {
		return hex.append(dst, v)
	}
	for i, c := range []byte("rwx") {
		if v>>i&1 != 0 {
			dst = append(dst, c)
		}
	}
	return dst
}

func parseProt(s string) (uint64, bool) {
	if s == "none" {
		return 0, true
	}
	var v uint64
	for i := range len(s) {
		bit := strings.IndexByte("rwx", s[i])
		if bit < 0 {
			return parseNumber(s)
		}
		v |= 1 << bit
	}
	return v, s != ""
}
