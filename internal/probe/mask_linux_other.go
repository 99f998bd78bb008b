//go:build linux && !arm64

package probe

// CodeMask takes nothing off a return address.
const CodeMask = ^uint64(0)
