package export

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mmtrace/mmtrace/pkg/report"
	"github.com/mmtrace/mmtrace/pkg/verdict"
)

// fewReserved is how much address space is worth a section, in bytes; less than a
// twentieth of what is outstanding is not.
const fewReserved = 1 << 20

// amount says how much g holds and how fast that grows.
func (g *group) amount() string {
	var space uint64
	for _, p := range g.paths {
		if p.Verdict.Of == verdict.AddressSpace {
			space += p.Growth()
		}
	}
	switch {
	case space == 0:
		return fmt.Sprintf("%s (%s)", size(g.bytes), rate(g.rate))
	case space == g.bytes:
		return fmt.Sprintf("%s of address space (%s)", size(g.bytes), rate(g.rate))
	}
	return fmt.Sprintf("%s (%s), of which %s is address space", size(g.bytes), rate(g.rate), size(space))
}

// all is how much g holds, growing or not.
func (g *group) all() (sum uint64) {
	for _, p := range g.paths {
		sum += p.Bytes
	}
	return sum
}

// closed says how much of g has no access, if that is a tenth or more.
func (g *group) closed() string {
	n, all := g.commit.Closed, g.all()
	if n == 0 || n < all/10 {
		return ""
	}
	return fmt.Sprintf("%s has no access (PROT_NONE), %s may be touched", size(n), size(all-min(n, all)))
}

// commitment writes what of p is address space, and what was given back.
func (t *text) commitment(p *report.Path) {
	c := &p.Commit
	if c.Overlaid > 0 || c.Committed < c.Reserved-c.Reserved/10 {
		t.note(plain, "reserved: %s of address space, of it %s committed%s", size(c.Reserved), size(c.Committed), present(p, "; %s in memory"))
	}
	if c.ClosedHeld > 0 {
		t.note(plain, "%s is in memory or in swap without access: it was closed (PROT_NONE) and not given back.", size(c.ClosedHeld))
	}
	if c.Returned > 0 {
		t.note(plain, "given back by madvise, and still mapped: %s", returnedText(c))
	}
}

// present writes how much of the reservations of p is in memory, if that was
// looked at.
func present(p *report.Path, format string) string {
	if p.Resident.Scanned == 0 {
		return ""
	}
	return fmt.Sprintf(format, size(p.Commit.Present))
}

func returnedText(c *report.Commitment) string {
	return fmt.Sprintf("%s in %s", size(c.Returned), count(c.ReturnedCalls, "call")) + lazyText(c, ", ")
}

// lazyText says what of c MADV_FREE gave back, and what became of that; nothing if it
// did not. RSS counts it until the kernel takes it, or for good if it is used again.
func lazyText(c *report.Commitment, before string) string {
	if c.ReturnedLazy == 0 {
		return ""
	}
	s := before
	if c.ReturnedLazy < c.Returned {
		s += size(c.ReturnedLazy) + " of it "
	}
	switch s += "with MADV_FREE"; {
	case c.LazyUnknown > 0:
		return s + ", which RSS counts until the kernel needs it"
	case c.LazyHeld == 0:
		return s + "; the kernel has taken that, or it is in use again"
	}
	return s + "; RSS counts " + size(c.LazyHeld) + " of that until the kernel needs it"
}

// lazy says how much of what is in memory the kernel takes when it needs it.
func lazy(c *report.Commitment) string {
	if c.LazyHeld == 0 {
		return ""
	}
	return fmt.Sprintf(", %s of it only until the kernel needs it (MADV_FREE)", size(c.LazyHeld))
}

// commitments writes how much address space is reserved, how much of it may be
// touched, and whether the machine has the memory for it.
func (t *text) commitments() {
	c := &t.r.Totals.Commit
	risky := t.touchRisk() || t.nearCommitLimit() || t.refuses(report.CauseCommitLimit) || t.refuses(report.CauseTooLarge)
	if !risky && (c.Reserved < fewReserved || c.Reserved < t.r.Totals.OutstandingBytes/20) {
		return
	}
	t.title("RESERVED AND COMMITTED", "Reserved is address space; committed of it is what may be touched.")
	t.reservations()
	if c.NoReserve > 0 {
		t.point("%s", t.noReserveText(c.NoReserve))
	}
	t.promises()
	t.point("next: %s", t.commitStep(risky))
}

// reservations lists the paths that reserve address space, the largest first.
func (t *text) reservations() {
	var ps []*report.Path
	for i := range t.r.Paths {
		if p := &t.r.Paths[i]; p.Commit.Reserved > 0 {
			ps = append(ps, p)
		}
	}
	if len(ps) == 0 {
		return
	}
	slices.SortStableFunc(ps, func(a, b *report.Path) int { return cmp.Compare(b.Commit.Reserved, a.Commit.Reserved) })
	row := func(s style, reserved, committed, present, by string) {
		t.para(s, rightTo(reserved, 12)+rightTo(committed, 12)+rightTo(present, 12)+"  ", "%s", by)
	}
	row(dim, "reserved", "committed", "in memory", "by")
	for _, p := range ps[:min(len(ps), maxListed)] {
		by := place(p)
		if p.Owner.Name != "" {
			by += " (" + p.Owner.Name + ")"
		}
		row(plain, size(p.Commit.Reserved), size(p.Commit.Committed), presentOf(p.Resident.Scanned, p.Commit.Present), by)
	}
	c := &t.r.Totals.Commit
	if n := len(ps) - maxListed; n > 0 {
		t.para(dim, "  ", "and %s more", number(uint64(n)))
	}
	if len(ps) > 1 {
		row(plain, size(c.Reserved), size(c.Committed), presentOf(t.r.Totals.Resident.Scanned, c.Present), "all "+number(uint64(len(ps)))+" paths")
	}
}

// presentOf writes n, of which nothing is known unless something was looked at.
func presentOf(scanned, n uint64) string {
	if scanned == 0 {
		return "unknown"
	}
	return size(n)
}

func (t *text) noReserveText(n uint64) string {
	if t.r.Host.Overcommit == "2" {
		return fmt.Sprintf("%s may be touched and has MAP_NORESERVE, which vm.overcommit_memory = 2 ignores: it counts as promised.", size(n))
	}
	return fmt.Sprintf("%s may be touched and has MAP_NORESERVE: the kernel has promised no memory for it.", size(n))
}
