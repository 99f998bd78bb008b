package symbol

// A form says how the value of an attribute is written, DWARF 5, section 7.5.6.
type form uint16

// The forms that are told apart here; the rest has a fixed size, see widths.
const (
	formAddr       form = 0x01
	formBlock2     form = 0x03
	formBlock4     form = 0x04
	formString     form = 0x08
	formBlock      form = 0x09
	formBlock1     form = 0x0a
	formSdata      form = 0x0d
	formStrp       form = 0x0e
	formUdata      form = 0x0f
	formRefAddr    form = 0x10
	formRef1       form = 0x11
	formRef8       form = 0x14
	formRefUdata   form = 0x15
	formIndirect   form = 0x16
	formSecOffset  form = 0x17
	formExprloc    form = 0x18
	formFlagOn     form = 0x19
	formStrx       form = 0x1a
	formAddrx      form = 0x1b
	formStrpSup    form = 0x1d
	formLineStrp   form = 0x1f
	formImplicit   form = 0x21
	formLoclistx   form = 0x22
	formRnglistx   form = 0x23
	formStrx1      form = 0x25
	formStrx4      form = 0x28
	formAddrx1     form = 0x29
	formAddrx4     form = 0x2c
	formGNUAddrx   form = 0x1f01
	formGNUStrx    form = 0x1f02
	formGNURefAlt  form = 0x1f20
	formGNUStrpAlt form = 0x1f21
)

// Sizes of forms in bytes, where they do not follow from the number alone.
const (
	sizeOffset  = -1 // 4 or 8
	sizeAddress = -2
	sizeRefAddr = -3 // an address in DWARF 2
	sizeVaries  = -4
)

// widths holds the size of each form in bytes. A form that is not there is
// unknown.
var widths = map[form]int{
	formAddr: sizeAddress, formBlock2: sizeVaries, formBlock4: sizeVaries, 0x05: 2, 0x06: 4, 0x07: 8,
	formString: sizeVaries, formBlock: sizeVaries, formBlock1: sizeVaries, 0x0b: 1, 0x0c: 1,
	formSdata: sizeVaries, formStrp: sizeOffset, formUdata: sizeVaries, formRefAddr: sizeRefAddr,
	formRef1: 1, 0x12: 2, 0x13: 4, formRef8: 8, formRefUdata: sizeVaries, formIndirect: sizeVaries,
	formSecOffset: sizeOffset, formExprloc: sizeVaries, formFlagOn: 0, formStrx: sizeVaries,
	formAddrx: sizeVaries, 0x1c: 4, formStrpSup: sizeOffset, 0x1e: 16, formLineStrp: sizeOffset,
	0x20: 8, formImplicit: 0, formLoclistx: sizeVaries, formRnglistx: sizeVaries, 0x24: 8,
	formStrx1: 1, 0x26: 2, 0x27: 3, formStrx4: 4, formAddrx1: 1, 0x2a: 2, 0x2b: 3, formAddrx4: 4,
	formGNUAddrx: sizeVaries, formGNUStrx: sizeVaries, formGNURefAlt: sizeOffset, formGNUStrpAlt: sizeOffset,
}

// A layout is what the size of values depends on.
type layout struct {
	version           int
	offSize, addrSize int
	little            bool
}

// width returns the size of a value of form f in bytes, or sizeVaries.
func (l *layout) width(f form) (n int, known bool) {
	n, known = widths[f]
	switch {
	case n == sizeOffset, n == sizeRefAddr && l.version > 2:
		n = l.offSize
	case n == sizeAddress, n == sizeRefAddr:
		n = l.addrSize
	}
	return n, known
}

// A value is that of an attribute, as it is written: a number, or for
// formString the place of the text in the unit. Without an attribute form is
// 0.
type value struct {
	form form
	n    uint64
}

// A field is one attribute of an abbreviation.
type field struct {
	slot     int8 // in an entry; -1 if nobody asks for it
	form     form
	width    int
	implicit int64
}

// value reads the value of f.
func (l *layout) value(c *cursor, f *field) value {
	switch {
	case f.form == formImplicit:
		return value{f.form, uint64(f.implicit)}
	case f.width >= 0 && f.width <= 8:
		return value{f.form, c.fixed(f.width)}
	case f.width >= 0:
		c.take(uint64(f.width))
		return value{form: f.form}
	}
	return l.varying(c, f.form)
}

// varying reads a value that has no fixed size.
func (l *layout) varying(c *cursor, f form) value {
	v := value{form: f}
	switch f {
	case formString:
		v.n = uint64(c.at)
		c.text()
	case formBlock1:
		c.take(c.u8())
	case formBlock2:
		c.take(c.fixed(2))
	case formBlock4:
		c.take(c.fixed(4))
	case formBlock, formExprloc:
		c.take(c.uleb())
	case formSdata:
		v.n = uint64(c.sleb())
	case formIndirect:
		return l.indirect(c)
	default:
		v.n = c.uleb()
	}
	return v
}

// indirect reads a form and then a value of it.
func (l *layout) indirect(c *cursor) value {
	f := field{form: form(c.uleb())}
	n, known := l.width(f.form)
	if !known || f.form == formIndirect || f.form == formImplicit {
		c.bad = true
		return value{}
	}
	f.width = n
	return l.value(c, &f)
}
