package probe

import (
	"testing"
)

// mostInstructions is how many instructions the verifier may look at in one
// program. The kernel allows a million, and kernels differ by a factor of ten in
// how much they look at twice.
const mostInstructions = 100_000

// TestEffort keeps the programs far from what the kernel refuses to verify.
func TestEffort(t *testing.T) {
	c, _, _, err := load(Options{})
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
