package probe

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

var orders = []Order{OrderLock, OrderCalls}

// mostInstructions is how many instructions the verifier may look at in one
// program. The kernel allows a million, and kernels differ by a factor of ten in
// how much they look at twice.
const mostInstructions = 100_000

// TestEffort keeps the programs far from what the kernel refuses to verify.
func TestEffort(t *testing.T) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range orders {
		t.Run(string(o), func(t *testing.T) { checkEffort(t, o, kernel) })
	}
}

func checkEffort(t *testing.T, o Order, kernel *btf.Spec) {
	c, _, _, err := load(Options{Order: o}, kernel)
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer c.Close()
	for name, p := range c.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, ok := info.VerifiedInstructions()
		if !ok {
			t.Fatalf("%s: the kernel does not tell", name)
		}
		t.Logf("%s: %d instructions verified", name, n)
		if n > mostInstructions {
			t.Errorf("%s: more than %d", name, mostInstructions)
		}
	}
}
