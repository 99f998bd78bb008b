package export

import (
	"fmt"
	"strings"
)

// others sums up the paths that are not listed, one line a verdict.
func (t *text) others() {
	g := t.g
	n := t.pathCount() - g.leaks.n() - g.growing.n() - g.suppressed.n()
	if t.o.All || n == 0 {
		return
	}
	title := "OUTSTANDING"
	if g.leaks.n()+g.growing.n() > 0 {
		title = "ALSO OUTSTANDING"
	}
	t.title(title, "")
	for _, h := range g.heaps {
		t.other(h.owner.Name, h, fmt.Sprintf(", %s. %s %s", rate(h.rate), h.owner.What, h.owner.Advice))
	}
	t.other("cache", &g.cache, ": grew and stopped, or replaces old mappings by new ones")
	t.other("young", &g.young, ": not older than what "+these(&g.young, "this path", "these paths")+" usually unmap"+these(&g.young, "s", ""))
	t.other("once", &g.once, ": mapped once, or all at one time")
	t.other("too young", &g.early, ": mapped too late in the window to judge")
	t.para(dim, "  ", "--all lists %s by call path.", them(n))
}

func (t *text) other(name string, g *group, what string) {
	if len(g.paths) == 0 {
		return
	}
	if g.owner == nil {
		what += largest(g)
	}
	t.para(plain, "  "+padTo(name, 15)+rightTo(size(g.bytes), 11)+"  ", "on %s%s", count(g.n(), "path"), what)
}

// largest says where the path of g is that holds most, and whose memory it is.
func largest(g *group) string {
	p := g.paths[0]
	about := []string{place(p)}
	if p.Owner.Name != "" {
		about = append(about, p.Owner.Name)
	}
	if len(g.paths) == 1 {
		return "; " + strings.Join(about, "; ")
	}
	return fmt.Sprintf("; most, %s, by %s", size(p.Bytes), strings.Join(about, "; "))
}

// these chooses between the words for one path and for several.
func these(g *group, one, several string) string {
	if len(g.paths) == 1 {
		return one
	}
	return several
}
