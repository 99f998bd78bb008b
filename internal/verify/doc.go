//go:build !linux

// Package verify is empty where programs cannot be traced.
package verify
