package symbol

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rustProgram = `
mod pool {
    pub trait Grow { fn grow(&mut self, n: usize) -> usize; }
    impl<T: Clone + Default> Grow for Vec<T> {
        #[inline(never)]
        fn grow(&mut self, n: usize) -> usize { self.resize(n, T::default()); self.len() }
    }
}
use pool::Grow;
fn main() {
    let n = std::env::args().count();
    let mut v: Vec<u64> = Vec::new();
    std::process::exit((v.grow(n * 4096) == 0) as i32);
}
`

// Both manglings of Rust give names without hashes and without markup.
func TestRustNames(t *testing.T) {
	want := map[string][]string{
		"default": {"<alloc::vec::Vec<T> as p::pool::Grow>::grow", "p::main"},
		"v0":      {"<alloc::vec::Vec<u64> as p::pool::Grow>::grow", "p::main"},
	}
	for style, names := range want {
		t.Run(style, func(t *testing.T) {
			dir := source(t, "p.rs", rustProgram)
			args := []string{"-O", "-C", "debuginfo=0", "-o", "p", "p.rs"}
			if style == "v0" {
				args = append(args, "-C", "symbol-mangling-version=v0")
			}
			run(t, dir, "rustc", args...)
			path := filepath.Join(dir, "p")
			m := module(t, path)
			seen := map[string]bool{}
			for _, s := range nm(t, path) {
				f := m.Frames(offsetOf(t, m, s.addr), false)[0]
				seen[f.Function] = true
				if strings.Contains(f.Function, "::h") && strings.HasSuffix(f.Linkage, "E") && len(f.Function) > 19 {
					if tail := f.Function[len(f.Function)-19:]; strings.HasPrefix(tail, "::h") {
						t.Errorf("hash in %q", f.Function)
					}
				}
			}
			got := []string{}
			for _, n := range names {
				if seen[n] {
					got = append(got, n)
				}
			}
			if diff := cmp.Diff(names, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
