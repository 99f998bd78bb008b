package symbol

import (
	"cmp"
	"debug/elf"
	"regexp"
	"strconv"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// Limits on names, in bytes: a longer linkage name is none, a longer demangled
// name is cut.
const (
	maxLinkage      = 64 << 10
	maxDemangledLog = 14
)

// An alias is a name of a function and how it is bound.
type alias struct {
	name string
	bind elf.SymBind
}

// compareAliases orders the names of one function, the best first: what other
// files can see before what is local, then few leading underscores, so that
// mmap goes before the global __mmap that it is a weak alias of, then global
// before weak, then the shortest, then by letter.
func compareAliases(a, b alias) int {
	return cmp.Or(
		cmp.Compare(locality(a), locality(b)),
		cmp.Compare(underscores(a.name), underscores(b.name)),
		cmp.Compare(weakness(a), weakness(b)),
		cmp.Compare(len(a.name), len(b.name)),
		strings.Compare(a.name, b.name),
	)
}

func locality(a alias) int {
	if a.bind == elf.STB_LOCAL {
		return 1
	}
	return 0
}

func weakness(a alias) int {
	if a.bind == elf.STB_WEAK {
		return 1
	}
	return 0
}

func underscores(s string) int { return len(s) - len(strings.TrimLeft(s, "_")) }

// cutVersion removes a symbol version, "@VERSION" or "@@VERSION".
func cutVersion(name string) string {
	i := strings.IndexByte(name, '@')
	if i <= 0 || strings.ContainsAny(name[i:], "/()<> ") {
		return name
	}
	return name[:i]
}

// Words by which compilers mark a part or a specialised copy of a function:
// those that a number follows always, and those that it may follow.
var (
	numbered = []string{".constprop", ".isra", ".part", ".lto_priv", ".clone", ".llvm"}
	bare     = []string{".cold", ".localalias"}
)

// cutClones removes what compilers append to the name of a part or a copy of a
// function: "f.constprop.0.isra.1" and "f.cold" are f. The whole name stays
// in a frame's Linkage.
func cutClones(name string) string {
	for {
		base := name
		if n := strings.TrimRight(name, "0123456789"); n != name && strings.HasSuffix(n, ".") {
			base = cutWord(n[:len(n)-1], numbered)
			if base == n[:len(n)-1] {
				base = cutWord(base, bare)
			}
			if base == n[:len(n)-1] {
				return name
			}
		}
		if base == name {
			base = cutWord(name, bare)
		}
		if base == name {
			return name
		}
		name = base
	}
}

// cutWord removes the first of the words that name ends with, unless nothing
// would be left.
func cutWord(name string, words []string) string {
	for _, w := range words {
		if b, ok := strings.CutSuffix(name, w); ok && b != "" {
			return b
		}
	}
	return name
}

// readableGo does for a name of the Go compiler what the runtime does in a
// traceback: type arguments, which are shapes and not what the source says,
// become "[...]".
func readableGo(linkage string) (function, full string) {
	i, j := strings.IndexByte(linkage, '['), strings.LastIndexByte(linkage, ']')
	if i < 0 || j < i {
		return linkage, ""
	}
	return linkage[:i] + "[...]" + linkage[j+1:], linkage
}

// readable returns the function's name as people read it, and the linker's
// name if that is another. C++ names keep their parameters, Rust names lose
// their hash.
func readable(linkage string) (function, mangled string) {
	linkage = cutVersion(linkage)
	function = cutClones(linkage)
	_ = guard(func() error {
		if s, err := demangle.ToString(keepUnderscores(function), demangle.MaxLength(maxDemangledLog)); err == nil {
			function = s
		}
		return nil
	})
	if function == linkage {
		return function, ""
	}
	return function, linkage
}

// oldRustRE finds the hash at the end of Rust's first kind of linkage names.
var oldRustRE = regexp.MustCompile(`^_ZN.+17h[0-9a-f]{16}E$`)

// keepUnderscores gives each identifier of such a name that begins with an
// underscore one more: the demangler takes the first one for the separator that
// only Rust's second kind of names has.
func keepUnderscores(linkage string) string {
	if !oldRustRE.MatchString(linkage) {
		return linkage
	}
	var out strings.Builder
	rest := linkage[len("_ZN"):]
	out.WriteString("_ZN")
	for rest != "E" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		rest = rest[digits:]
		if err != nil || n <= 0 || n >= len(rest) {
			return linkage
		}
		id := rest[:n]
		rest = rest[n:]
		if id[0] == '_' {
			id = "_" + id
		}
		out.WriteString(strconv.Itoa(len(id)))
		out.WriteString(id)
	}
	return out.String() + rest
}
