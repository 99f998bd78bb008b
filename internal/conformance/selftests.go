package conformance

import (
	"path/filepath"
	"strings"
	"time"
)

// Selftests returns the kernel's own memory tests in dir, where
// scripts/selftests.sh has built them. Those that did not build are among them:
// see Workload.Missing. Not among them are tests that poison memory or change
// the machine for others.
func Selftests(dir string) []Workload {
	const names = "compaction_test cow droppable gup_longterm gup_test hugepage-mmap " +
		"hugepage-mremap hugepage-shm hugepage-vmemmap hugetlb-madvise " +
		"hugetlb_fault_after_madv hugetlb_madv_vs_map madv_populate map_fixed_noreplace " +
		"map_hugetlb map_populate mdwe_test mkdirty mlock2-tests mrelease_test " +
		"mremap_dontunmap mremap_test mseal_test on-fault-limit pagemap_ioctl " +
		"pkey_sighandler_tests protection_keys seal_elf soft-dirty thuge-gen " +
		"uffd-unit-tests va_high_addr_switch virtual_address_range"
	args := map[string][]string{
		"hugetlb-madvise": {"hugefile"},
		"gup_test":        {"-ct", "-F", "0x1", "0", "19", "0x1000"},
		"uffd-stress":     {"anon", "16", "4"},
	}
	var ws []Workload
	for name := range strings.FieldsSeq(names + " uffd-stress") {
		path := filepath.Join(dir, name)
		ws = append(ws, Workload{
			Name:  "mm-" + name,
			Needs: []string{path},
			Argv:  append([]string{path}, args[name]...),
			Limit: 30 * time.Second,
			// A test that fails has worked its address space all the same: 1, and
			// 4 for one that the kernel or its configuration does not let run. Some
			// end by a signal on purpose or for want of a feature.
			Exits: []int{1, 4, 2, 3, 128 + 4, 128 + 6, 128 + 7, 128 + 11, 255},
		})
	}
	return ws
}
