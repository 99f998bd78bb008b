package unwind

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
)

// TestLayout compares the types that the kernel side shares with this package.
func TestLayout(t *testing.T) {
	spec, err := ebpf.LoadCollectionSpec(compileBPF(t))
	must(t, err)
	var rule *btf.Struct
	must(t, spec.Types.TypeByName("rule", &rule))
	fields := reflect.TypeFor[Info]()
	if n := fields.NumField(); n != len(rule.Members) || fields.Size() != uintptr(rule.Size) {
		t.Fatalf("Info has %d fields, struct rule %d", n, len(rule.Members))
	}
	for i, m := range rule.Members {
		f := fields.Field(i)
		if name := strings.ReplaceAll(m.Name, "_", ""); !strings.EqualFold(name, f.Name) || m.Offset.Bytes() != uint32(f.Offset) {
			t.Errorf("field %d: %s at %d, in C %s at %d", i, f.Name, f.Offset, m.Name, m.Offset.Bytes())
		}
	}
	for name, want := range map[string][]string{
		"rule_kind": {Gap: "GAP", Reg: "REG", PLT: "PLT", Deref: "DEREF", Signal: "SIGNAL", Root: "ROOT", FramePointer: "FRAME_POINTER", Unsupported: "UNSUPPORTED", Switch: "SWITCH"},
		"rule_fp":   {FPSame: "SAME", FPAtCFA: "AT_CFA", FPAtFP: "AT_FP", FPLost: "LOST"},
		"stop": {StopNone: "NONE", StopRoot: "ROOT", StopZero: "ZERO", StopNoMap: "NO_MAP", StopGap: "GAP", StopUnsupported: "UNSUPPORTED",
			StopFault: "FAULT", StopMax: "MAX", StopFPEnd: "FP_END", StopNoSpace: "NO_SPACE"},
	} {
		var enum *btf.Enum
		must(t, spec.Types.TypeByName(name, &enum))
		got := make([]string, len(enum.Values))
		for _, v := range enum.Values {
			_, got[v.Value], _ = strings.Cut(v.Name, "_")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("enum %s (-want +got):\n%s", name, d)
		}
	}
}
