//go:build !linux

package main

import "syscall"

func dropTo(string) error { return syscall.ENOTSUP }

func goOnWithoutParent() error { return syscall.ENOTSUP }
