package main

import (
	"fmt"
	"runtime"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"
)

// keptCaps are what is still needed once the programs are attached: to make
// tables for code that is yet to be mapped, to read /proc and files, for the
// priority of threads, to let a command go on that runs as another user, and to
// write files for the user.
var keptCaps = []capability.Cap{
	capability.CAP_BPF, capability.CAP_SYS_PTRACE, capability.CAP_CHECKPOINT_RESTORE,
	capability.CAP_DAC_READ_SEARCH, capability.CAP_DAC_OVERRIDE, capability.CAP_FOWNER, capability.CAP_CHOWN,
	capability.CAP_SYS_NICE, capability.CAP_KILL,
}

// capSets are the sets of a thread as capset(2) takes them, 32 capabilities a word.
type capSets [2]unix.CapUserData

func (s *capSets) has(c capability.Cap) bool { return s[c/32].Permitted&(1<<(c%32)) != 0 }

func capHeader() *unix.CapUserHeader {
	return &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
}

func getCaps() (s capSets, err error) {
	return s, unix.Capget(capHeader(), &s[0])
}

// keep returns s less what is not in keptCaps. CAP_SYS_ADMIN stays where it can be
// taken up again, by raiseAdmin. Without CAP_SYS_PTRACE, CAP_PERFMON stays, which
// opens maps on newer kernels (6.18 does, 6.12 does not).
func (s capSets) keep() capSets {
	var masks [2]uint32
	kept := keptCaps
	if !s.has(capability.CAP_SYS_PTRACE) {
		kept = append([]capability.Cap{capability.CAP_PERFMON}, kept...)
	}
	for _, c := range kept {
		masks[c/32] |= 1 << (c % 32)
	}
	for i := range s {
		s[i].Effective &= masks[i]
		s[i].Permitted &= masks[i] | adminMask[i]
		s[i].Inheritable = 0
	}
	return s
}

var adminMask = [2]uint32{capability.CAP_SYS_ADMIN / 32: 1 << (capability.CAP_SYS_ADMIN % 32)}

// dropRights gives up, in all threads, what is not needed to the end of a trace.
// Its error is syscall.ENOTSUP in a program that was linked with cgo, whose
// threads cannot all be reached.
func dropRights() error {
	s, err := getCaps()
	if err != nil {
		return fmt.Errorf("reading own capabilities: %w", err)
	}
	kept := s.keep()
	if kept == s {
		return nil
	}
	if err := setCapsOfAll(&kept); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	return nil
}

// raiseAdmin takes CAP_SYS_ADMIN up again for the calling thread, if it was kept,
// until lower is called.
func raiseAdmin() (lower func()) {
	runtime.LockOSThread()
	s, err := getCaps()
	raised := s
	for i := range raised {
		raised[i].Effective |= raised[i].Permitted & adminMask[i]
	}
	if err != nil || raised == s || unix.Capset(capHeader(), &raised[0]) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		if unix.Capset(capHeader(), &s[0]) == nil {
			runtime.UnlockOSThread() // else the thread ends with the goroutine
		}
	}
}
