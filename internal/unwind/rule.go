package unwind

// info turns a row of call frame information into a rule.
func (a *arch) info(k *common, s *state) Info {
	switch {
	case k.signal:
		return Info{Kind: Signal}
	case s.ra.kind == regUndefined:
		return Info{Kind: Root}
	}
	in := Info{Off: int32(s.cfa.off), FPOff: int32(s.fp.off)}
	ok := int64(in.Off) == s.cfa.off && int64(in.FPOff) == s.fp.off
	ok = ok && a.setCFA(&in, &s.cfa) && a.setReturn(&in, &s.ra)
	switch s.fp.kind {
	case regAtCFA:
		in.FP = FPAtCFA
	case regAtFP:
		in.FP = FPAtFP
	case regUndefined, regElsewhere:
		in.FP = FPLost
	}
	if !ok {
		return Info{Kind: Unsupported}
	}
	return in
}

// setCFA fills in's Kind, Base and, for Deref, Off2.
func (a *arch) setCFA(in *Info, r *cfaRule) bool {
	switch r.reg {
	case a.sp:
		in.Base = SP
	case a.fp:
		in.Base = FP
	default:
		if r.kind != cfaPLT {
			return false
		}
	}
	switch r.kind {
	case cfaReg:
		in.Kind = Reg
	case cfaPLT:
		in.Kind = PLT
	case cfaDeref:
		in.Kind, in.Off2 = Deref, int32(r.off2)
		return int64(in.Off2) == r.off2
	default:
		return false
	}
	return true
}

// setReturn fills in Link and, for other kinds than Deref, Off2.
func (a *arch) setReturn(in *Info, r *regRule) bool {
	switch {
	case r.kind == regAtCFA && in.Kind == Deref:
		return r.off == -8
	case r.kind == regAtCFA:
		in.Off2 = int32(r.off)
		return int64(in.Off2) == r.off
	case r.kind == regSame && a.link && in.Kind != Deref:
		in.Link = 1
		return true
	}
	return false
}
