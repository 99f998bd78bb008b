package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A form says how a number is written. parse returns false for anything else.
type form struct {
	append func(dst []byte, v uint64) []byte
	parse  func(s string) (uint64, bool)
}

var (
	hex     = form{func(dst []byte, v uint64) []byte { return strconv.AppendUint(append(dst, "0x"...), v, 16) }, parseNumber}
	decimal = form{func(dst []byte, v uint64) []byte { return strconv.AppendInt(dst, int64(v), 10) }, parseNumber}
	idForm  = form{appendID, parseNumber}

	devForm  = form{appendDev, parseDev}
	timeForm = form{decimal.append, parseTime}
	protForm = form{appendProt, parseProt}

	mmapForm   = form{appendMmapFlags, parseMmapFlags}
	mremapForm = words("0", []word{{"maymove", RemapMayMove}, {"fixed", RemapFixed}, {"dontunmap", RemapDontUnmap}})
	shmatForm  = words("0", []word{{"rdonly", 0o10000}, {"rnd", 0o20000}, {"remap", ShmRemap}, {"exec", 0o100000}})
	shmgetForm = words("0", []word{{"create", ipcCreate}, {"new", ipcExclusive}, {"huge", shmHuge}, {"noreserve", 0o10000}})
	adviceForm = names([]word{
		{"normal", 0}, {"random", 1}, {"sequential", 2}, {"willneed", 3}, {"dontneed", 4}, {"free", 8},
		{"remove", 9}, {"dontfork", 10}, {"dofork", 11}, {"mergeable", 12}, {"unmergeable", 13},
		{"hugepage", 14}, {"nohugepage", 15}, {"dontdump", 16}, {"dodump", 17}, {"wipeonfork", 18},
		{"keeponfork", 19}, {"cold", 20}, {"pageout", 21}, {"populate_read", 22}, {"populate_write", 23},
		{"dontneed_locked", 24}, {"collapse", 25},
	})
	marksForm = words("none", []word{
		{"compat", uint64(Compat)}, {"died", uint64(Died)}, {"second", uint64(Second)}, {"stale", uint64(Stale)},
		{"unordered", uint64(Unordered)}, {"no_stack", uint64(NoStack)}, {"huge", uint64(Huge)},
		{"unreadable", uint64(Unreadable)}, {"file", uint64(File)}, {"late", uint64(Late)},
		{"lift", uint64(Lift)}, {"assumed", uint64(Assumed)}, {"more", uint64(More)},
	})
	moreMmapFlags = words("0", []word{
		{"fixed", MapFixed}, {"grows_down", MapGrowsDown}, {"locked", 0x2000}, {"noreserve", MapNoReserve},
		{"populate", 0x8000}, {"nonblock", 0x10000}, {"stack", MapStack}, {"huge", MapHugeTLB},
		{"sync", 0x80000}, {"noreplace", MapFixedNoRep},
	})
	errnoForm = names([]word{
		{"EPERM", 1}, {"ENOENT", 2}, {"EINTR", 4}, {"EIO", 5}, {"EBADF", 9}, {"EAGAIN", 11}, {"ENOMEM", 12},
		{"EACCES", 13}, {"EFAULT", 14}, {"EBUSY", 16}, {"EEXIST", 17}, {"ENODEV", 19}, {"EINVAL", 22},
		{"ENFILE", 23}, {"EMFILE", 24}, {"ETXTBSY", 26}, {"ENOSPC", 28}, {"ENOSYS", 38}, {"EOVERFLOW", 75},
		{"EOPNOTSUPP", 95},
	})
)

// A word stands for a number or for bits of one.
type word struct {
	name  string
	value uint64
}

// names returns a form of numbers some of which have a name.
func names(list []word) form {
	return form{
		func(dst []byte, v uint64) []byte {
			for _, w := range list {
				if w.value == v {
					return append(dst, w.name...)
				}
			}
			return decimal.append(dst, v)
		},
		func(s string) (uint64, bool) {
			for _, w := range list {
				if w.name == s {
					return w.value, true
				}
			}
			return parseNumber(s)
		},
	}
}

// words returns a form of sets of bits: their names with commas, other bits in
// hexadecimal, and zero for the empty set.
func words(zero string, list []word) form {
	return form{
		func(dst []byte, v uint64) []byte { return appendWords(dst, v, zero, list) },
		func(s string) (uint64, bool) { return parseWords(s, zero, list) },
	}
}

func appendWords(dst []byte, v uint64, zero string, list []word) []byte {
	if v == 0 {
		return append(dst, zero...)
	}
	for _, w := range list {
		if v&w.value == 0 {
			continue
		}
		v &^= w.value
		dst = append(dst, w.name...)
		if v != 0 {
			dst = append(dst, ',')
		}
	}
	if v != 0 {
		dst = hex.append(dst, v)
	}
	return dst
}

func parseWords(s, zero string, list []word) (uint64, bool) {
	if s == zero {
		return 0, true
	}
	var v uint64
next:
	for part := range strings.SplitSeq(s, ",") {
		for _, w := range list {
			if w.name == part {
				v |= w.value
				continue next
			}
		}
		n, ok := parseNumber(part)
		if !ok {
			return 0, false
		}
		v |= n
	}
	return v, true
}

// appendID writes small numbers as people give them, hashes in hexadecimal.
func appendID(dst []byte, v uint64) []byte {
	if v < 1e6 {
		return strconv.AppendUint(dst, v, 10)
	}
	return hex.append(dst, v)
}

// appendDev writes the number of a device as /proc/PID/maps does: MAJOR:MINOR, in
// hexadecimal.
func appendDev(dst []byte, v uint64) []byte {
	return fmt.Appendf(dst, "%02x:%02x", v>>32, v&(1<<32-1))
}

func parseDev(s string) (uint64, bool) {
	major, minor, ok := strings.Cut(s, ":")
	hi, err := strconv.ParseUint(major, 16, 32)
	lo, lerr := strconv.ParseUint(minor, 16, 32)
	return hi<<32 | lo, ok && err == nil && lerr == nil
}

func parseTime(s string) (uint64, bool) {
	if v, ok := parseNumber(s); ok {
		return v, true
	}
	d, err := time.ParseDuration(s)
	return uint64(d), err == nil
}

// parseNumber reads a number with an optional sign and binary unit.
func parseNumber(s string) (uint64, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	shift := 0
	if n := len(digits); n > 1 {
		if i := strings.IndexByte("KMGT", digits[n-1]); i >= 0 {
			digits, shift = digits[:n-1], 10*(i+1)
		}
	}
	base := 10
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = rest, 16
	}
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil || v<<shift>>shift != v {
		return 0, false
	}
	if v <<= shift; negative {
		v = -v
	}
	return v, true
}
