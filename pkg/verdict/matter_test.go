package verdict

import "testing"

// What a path holds decides what a verdict is about; the sentences are whole.
func TestMatter(t *testing.T) {
	leaks := func() *Evidence { return observe(every(second/10, 0, 30*second, 0), 30) }
	const (
		facts = "300 of 300 mappings were never unmapped; the oldest is 30.0 s old, and it went on through the whole window"
		gone  = facts + "; madvise gave its memory back: VIRT is kept, RSS was returned, so it is address space, not memory."
		again = facts + "; but madvise gives its memory back again and again: VIRT is kept for later use, RSS is returned, so this is no leak."
		lazy  = facts + "; madvise gave its memory back: VIRT is kept, RSS counts it only until the kernel needs it (MADV_FREE), so it is address space, not memory."
		keeps = facts + "; but madvise gives its memory back again and again: VIRT is kept for later use, RSS counts it only until the kernel needs it (MADV_FREE), so this is no leak."
		maybe = facts + "; MADV_FREE gave its memory back, and whether it is in use again is not known: if not, RSS counts it only until the kernel needs it."
	)
	for name, tt := range map[string]struct {
		matter Matter
		want   Verdict
	}{
		"nothing is known":             {Matter{}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"memory":                       {Matter{Bytes: 1000, Held: 1000, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"untouched":                    {Matter{Bytes: 1000, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"reserved":                     {Matter{Bytes: 1000, Closed: 1000}, Verdict{Kind: Leak, Of: AddressSpace, Why: facts + "; all of it is reserved and has no access (PROT_NONE): it is address space, not memory.", Enough: true}},
		"nearly all reserved":          {Matter{Bytes: 1000, Closed: 900, ClosedHeld: 100}, Verdict{Kind: Leak, Of: AddressSpace, Why: facts + "; 90 % of it is reserved and has no access (PROT_NONE): it is address space, not memory.", Enough: true}},
		"not enough reserved":          {Matter{Bytes: 1000, Closed: 899}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"closed and not given back":    {Matter{Bytes: 1000, Closed: 1000, ClosedHeld: 101}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"given back":                   {Matter{Bytes: 1000, Returned: 750, Held: 250, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: gone, Enough: true}},
		"given back, not quite twice":  {Matter{Bytes: 1000, Returned: 1499, Held: 250, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: gone, Enough: true}},
		"given back again and again":   {Matter{Bytes: 1000, Returned: 1500, Held: 250, Looked: true}, Verdict{Kind: Growing, Of: AddressSpace, Why: again, Enough: true}},
		"given back, nobody looked":    {Matter{Bytes: 1000, Returned: 750}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"given back and touched again": {Matter{Bytes: 1000, Returned: 9000, Held: 251, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"too little given back":        {Matter{Bytes: 1000, Returned: 749, Held: 250, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"lazily":                       {Matter{Bytes: 1000, Returned: 750, Held: 1000, Lazy: 750, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: lazy, Enough: true}},
		"lazily, a byte is used again": {Matter{Bytes: 1000, Returned: 750, Held: 1000, Lazy: 749, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"lazily, again and again":      {Matter{Bytes: 1000, Returned: 1500, Held: 1000, Lazy: 750, Looked: true}, Verdict{Kind: Growing, Of: AddressSpace, Why: keeps, Enough: true}},
		"lazily, and half was taken":   {Matter{Bytes: 1000, Returned: 1000, Held: 500, Lazy: 250, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: gone, Enough: true}},
		"lazily, less than half taken": {Matter{Bytes: 1000, Returned: 1000, Held: 500, Lazy: 251, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: lazy, Enough: true}},
		"lazily, as it seems":          {Matter{Bytes: 1000, Returned: 750, Held: 1000, LazyUnknown: 750, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: maybe, Enough: true}},
		"a part lazily, as it seems":   {Matter{Bytes: 1000, Returned: 750, Held: 1000, LazyUnknown: 749, Looked: true}, Verdict{Kind: Leak, Of: Memory, Why: facts + ".", Enough: true}},
		"lazily, and all was taken":    {Matter{Bytes: 1000, Returned: 750, Held: 0, LazyUnknown: 750, Looked: true}, Verdict{Kind: Leak, Of: AddressSpace, Why: gone, Enough: true}},
	} {
		e := leaks()
		e.Matter = tt.matter
		if got := Judge(e); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, tt.want)
		}
	}
}

// A path that does not grow is none of that.
func TestMatterOfWhatDoesNotGrow(t *testing.T) {
	e := observe([]life{{second, 0}}, 30)
	e.Matter = Matter{Bytes: 1000, Closed: 1000}
	if got := Judge(e); got.Kind != Once || got.Of != Memory {
		t.Errorf("%+v", got)
	}
}

// A reservation of which more and more is accessible grows.
func TestOpening(t *testing.T) {
	for name, tt := range map[string]struct {
		open func(i int) uint64
		want Verdict
	}{
		"ever more": {func(i int) uint64 { return uint64(i) * 40 },
			Verdict{Kind: Growing, Of: Committed, Why: "It holds no more address space, but makes more and more of it accessible through the whole window.", Enough: true}},
		"at once":           {func(i int) uint64 { return 2000 }, Verdict{Kind: Once, Of: Memory, Why: "It mapped once in this window.", Enough: true}},
		"at first":          {func(i int) uint64 { return uint64(min(i, 30)) * 40 }, Verdict{Kind: Once, Of: Memory, Why: "It mapped once in this window.", Enough: true}},
		"up and down":       {func(i int) uint64 { return uint64(i%7) * 40 }, Verdict{Kind: Once, Of: Memory, Why: "It mapped once in this window.", Enough: true}},
		"in a few steps":    {func(i int) uint64 { return uint64(i/15) * 40 }, Verdict{Kind: Once, Of: Memory, Why: "It mapped once in this window.", Enough: true}},
		"and then it stops": {func(i int) uint64 { return uint64(min(i, 39)) * 40 }, Verdict{Kind: Once, Of: Memory, Why: "It mapped once in this window.", Enough: true}},
	} {
		e := observe([]life{{0, 0}}, 30)
		for i := range e.Levels {
			e.Open = append(e.Open, tt.open(i))
		}
		e.Matter = Matter{Bytes: 4096, Closed: 4000}
		if got := Judge(e); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, tt.want)
		}
	}
}
