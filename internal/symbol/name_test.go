package symbol

import (
	"debug/elf"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadable(t *testing.T) {
	want := map[string][2]string{
		"malloc":                       {"malloc", ""},
		"memcpy@@GLIBC_2.14":           {"memcpy", ""},
		"memcpy@GLIBC_2.2.5":           {"memcpy", ""},
		"grow.constprop.0.isra.1":      {"grow", "grow.constprop.0.isra.1"},
		"grow.part.0.cold":             {"grow", "grow.part.0.cold"},
		"grow.cold.3":                  {"grow", "grow.cold.3"},
		"camlMain__grow_12":            {"camlMain__grow_12", ""},
		"memcpy.avx2.0":                {"memcpy.avx2.0", ""},
		".cold":                        {".cold", ""},
		"main.part":                    {"main.part", ""},
		"_ZN4pool4growEi":              {"pool::grow(int)", "_ZN4pool4growEi"},
		"_ZN4pool4growEi.cold":         {"pool::grow(int)", "_ZN4pool4growEi.cold"},
		"_ZN4pool4growEi.llvm.1234567": {"pool::grow(int)", "_ZN4pool4growEi.llvm.1234567"},
		"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE": {"core::fmt::Formatter::pad", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"},
		"_RNvCs1234_7mycrate3foo":                        {"mycrate::foo", "_RNvCs1234_7mycrate3foo"},
		"_ZN3std9backtrace6_print17h0123456789abcdefE":   {"std::backtrace::_print", "_ZN3std9backtrace6_print17h0123456789abcdefE"},
		"_ZN3std1_4__ab17h0123456789abcdefE":             {"std::_::__ab", "_ZN3std1_4__ab17h0123456789abcdefE"},
		"_ZN10_$LT$T$GT$4drop17h0123456789abcdefE":       {"<T>::drop", "_ZN10_$LT$T$GT$4drop17h0123456789abcdefE"},
		"_ZN3std99_x17h0123456789abcdefE":                {"_ZN3std99_x17h0123456789abcdefE", ""},
	}
	for in, w := range want {
		fn, linkage := readable(in)
		if diff := cmp.Diff(w, [2]string{fn, linkage}); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestAliasOrder(t *testing.T) {
	want := []alias{
		{"mmap", elf.STB_GLOBAL},
		{"mmap", elf.STB_WEAK},
		{"mmap64", elf.STB_WEAK},
		{"__mmap", elf.STB_GLOBAL},
		{"__mmap64", elf.STB_GLOBAL},
		{"do_mmap", elf.STB_LOCAL},
		{"__GI___mmap", elf.STB_LOCAL},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareAliases)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(alias{})); diff != "" {
		t.Error(diff)
	}
}
