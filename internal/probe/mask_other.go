//go:build !linux

package probe

// CodeMask takes nothing off a return address.
const CodeMask = ^uint64(0)
