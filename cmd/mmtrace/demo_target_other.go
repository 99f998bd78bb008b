//go:build !linux

package main

// demoTarget does nothing: where there is no tracing, nothing starts it.
func demoTarget(string) {}
