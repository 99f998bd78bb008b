package event

// Aux of a StackDef says how its walk ended: bits 0 and 1 are flags (enum
// stack_flag in bpf/record.h), bits 8 to 15 why it stopped, and bits 16 to 31 how
// many frames were guessed by frame pointers.
const (
	// StackTruncated: there were more frames than fit.
	StackTruncated = 1 << 0
	// StackCopied: the kernel side sent a StackCopy before.
	StackCopied = 1 << 1

	stopShift    = 8
	guessedShift = 16
)

// StackFlags returns the Aux of a StackDef.
func StackFlags(stop uint8, guessed int, truncated bool) uint64 {
	f := uint64(stop)<<stopShift | uint64(min(guessed, 0xffff))<<guessedShift
	if truncated {
		f |= StackTruncated
	}
	return f
}

// StackStop returns why a walk ended: a value of unwind.Stop.
func StackStop(aux uint64) uint8 { return uint8(aux >> stopShift) }

// StackGuessed returns how many frames of a stack were guessed.
func StackGuessed(aux uint64) int { return int(aux >> guessedShift & 0xffff) }
