package event

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mmtrace/mmtrace/pkg/interval"
)

// A lineParser reads what follows the name of a kind.
type lineParser struct {
	ev     *Event
	memory *textMemory
	rest   []string
}

func (p *lineParser) parse() error {
	n := 0
	for n < len(p.rest) && p.rest[n] != "=" && !isField(p.rest[n]) {
		n++
	}
	words := p.rest[:n]
	p.rest = p.rest[n:]
	if err := p.result(); err != nil {
		return err
	}
	if err := p.operands(words); err != nil {
		return err
	}
	return p.fields()
}

// isField reports whether a token is key=value.
func isField(token string) bool { return strings.Index(token, "=") > 0 }

// result reads "= RESULT".
func (p *lineParser) result() error {
	if len(p.rest) == 0 || p.rest[0] != "=" {
		return nil
	}
	if len(p.rest) < 2 {
		return fmt.Errorf("no result behind =")
	}
	word := p.rest[1]
	p.rest = p.rest[2:]
	v, ok := errnoForm.parse(word)
	if !ok {
		return fmt.Errorf("not a result: %q", word)
	}
	if word[0] == 'E' {
		v = -v
	}
	p.ev.Ret = int64(v)
	if hasResult(p.ev) {
		return fmt.Errorf("no error, and the operands tell the rest: %q", word)
	}
	return nil
}

// operands reads what the kind's shape has.
func (p *lineParser) operands(words []string) error {
	o := &kindOperands[p.ev.Kind]
	slots := o.of(p.ev)
	if o.shape == shapeStack {
		return p.stack(words)
	}
	if o.shape == shapeMove || o.shape == shapeBreak {
		if len(words) != 3 || words[1] != "->" {
			return fmt.Errorf("not of the form FROM -> TO: %q", strings.Join(words, " "))
		}
		words = []string{words[0], words[2]}
	}
	pairs := o.shape == shapeRange || o.shape == shapeMove
	var parts []string
	for _, w := range words {
		if !pairs {
			parts = append(parts, w)
			continue
		}
		addr, length, ok := strings.Cut(w, "+")
		if !ok {
			return fmt.Errorf("not a range: %q", w)
		}
		parts = append(parts, addr, length)
	}
	if len(parts) != len(slots) {
		return fmt.Errorf("%d operands, want %d: %q", len(parts), len(slots), strings.Join(words, " "))
	}
	for i, s := range slots {
		v, ok := parseNumber(parts[i])
		if !ok {
			return fmt.Errorf("not a number: %q", parts[i])
		}
		p.ev.setSlot(s, v)
	}
	return nil
}

// stack reads "ID PC...".
func (p *lineParser) stack(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("no ID")
	}
	for i, w := range words {
		v, ok := parseNumber(w)
		if !ok {
			return fmt.Errorf("not a number: %q", w)
		}
		if i == 0 {
			p.ev.setSlot(slotStack, v)
		} else {
			p.ev.Frames = append(p.ev.Frames, v)
		}
	}
	return nil
}

// fields reads key=value until the end, and sets the defaults of the others.
func (p *lineParser) fields() error {
	given := make(map[string]string, len(p.rest))
	for _, token := range p.rest {
		key, value, ok := strings.Cut(token, "=")
		if !ok || key == "" {
			return fmt.Errorf("not a field: %q", token)
		}
		if _, twice := given[key]; twice {
			return fmt.Errorf("field %s given twice", key)
		}
		given[key] = value
	}
	for _, f := range fieldsOf(p.ev) {
		value, ok := given[f.key]
		delete(given, f.key)
		if !ok {
			if f.def != nil {
				p.ev.setSlot(f.slot, f.def(p.memory, p.ev))
			}
			continue
		}
		v, ok := f.form.parse(value)
		if !ok || !p.ev.setSlot(f.slot, v) {
			return fmt.Errorf("field %s: not a value: %q", f.key, value)
		}
	}
	return p.others(given)
}

// others reads the fields that are no single number.
func (p *lineParser) others(given map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		value, ok := given[key], false
		switch {
		case key == "parent":
			ok = p.parent(value)
		case key == "comm":
			p.ev.Name, ok = parseName(value)
		case key == "frames" && p.ev.Kind != StackDef:
			ok = p.frames(value)
		default:
			return fmt.Errorf("unknown field: %q", key)
		}
		if !ok {
			return fmt.Errorf("field %s: not a value: %q", key, value)
		}
	}
	return nil
}

// parent reads SPACE or SPACE@SEQ.
func (p *lineParser) parent(s string) bool {
	id, seq, at := strings.Cut(s, "@")
	v, ok := parseNumber(id)
	if at && ok {
		p.ev.ParentSeq, ok = parseNumber(seq)
	}
	p.ev.Parent = SpaceID(v)
	return ok && uint64(p.ev.Parent) == v
}

func (p *lineParser) frames(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		v, ok := parseNumber(part)
		if !ok {
			return false
		}
		p.ev.Frames = append(p.ev.Frames, v)
	}
	return true
}

// parseName reads a name, quoted or not.
func parseName(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, true
	}
	name, err := strconv.Unquote(s)
	return name, err == nil
}

// parseRegion reads a line of /proc/PID/maps.
func parseRegion(line string) (Region, bool) {
	var words [5]string
	for i := range words {
		words[i], line, _ = strings.Cut(strings.TrimLeft(line, " \t"), " ")
	}
	var r Region
	start, end, ok := strings.Cut(words[0], "-")
	ok = ok && words[1] != "" && (words[2] == "") == (words[4] == "")
	perms, kind := words[1], byte(0)
	if ok {
		kind = perms[len(perms)-1]
		perms = perms[:len(perms)-1]
	}
	major, minor, _ := strings.Cut(words[3], ":")
	var hi, lo uint64
	for _, n := range []struct {
		s    string
		base int
		v    *uint64
		bits int
	}{
		{start, 16, &r.Start, 64}, {end, 16, &r.End, 64}, {words[2], 16, &r.Offset, 64},
		{major, 16, &hi, 32}, {minor, 16, &lo, 32}, {words[4], 10, &r.Inode, 64},
	} {
		var err error
		if s := strings.TrimPrefix(n.s, "0x"); s != "" {
			*n.v, err = strconv.ParseUint(s, n.base, n.bits)
		}
		ok = ok && err == nil
	}
	prot, known := parseProt(strings.ReplaceAll(perms, "-", ""))
	if perms == "---" {
		prot, known = 0, true
	}
	r.Range = interval.Range{Start: r.Start, End: r.End}
	r.Prot, r.Shared, r.Dev = Prot(prot), kind == 's', hi<<32|lo
	path, quoted := parseName(strings.TrimLeft(line, " \t"))
	r.Path = path
	return r, ok && known && quoted && start != "" && end != "" && prot < 256 && (kind == 's' || kind == 'p')
}
