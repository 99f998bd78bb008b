//go:build !linux

package session

// keepAhead does nothing.
func keepAhead() (end func()) { return func() {} }
