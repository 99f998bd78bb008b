package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/moby/sys/capability"

	"github.com/mmtrace/mmtrace/internal/procfs"
)

// The kernel takes CAP_SYS_ADMIN in place of those that were split from it in
// Linux 5.8 and 5.9 (include/linux/capability.h: bpf_capable, perfmon_capable,
// checkpoint_restore_ns_capable).
var capNumbers = map[string][]capability.Cap{
	"cap_bpf":                {capability.CAP_BPF, capability.CAP_SYS_ADMIN},
	"cap_perfmon":            {capability.CAP_PERFMON, capability.CAP_SYS_ADMIN},
	"cap_sys_ptrace":         {capability.CAP_SYS_PTRACE},
	"cap_dac_read_search":    {capability.CAP_DAC_READ_SEARCH, capability.CAP_DAC_OVERRIDE},
	"cap_checkpoint_restore": {capability.CAP_CHECKPOINT_RESTORE, capability.CAP_SYS_ADMIN},
	"cap_sys_nice":           {capability.CAP_SYS_NICE},
	"cap_sys_admin":          {capability.CAP_SYS_ADMIN},
}

// ownCaps returns the capabilities of the calling thread.
func ownCaps() (capability.Capabilities, error) {
	caps, err := capability.NewPid2(0)
	if err == nil {
		err = caps.Load()
	}
	if err != nil {
		return nil, fmt.Errorf("reading own capabilities: %w", err)
	}
	return caps, nil
}

// missingCaps returns those of names that are not in force, in that order.
func missingCaps(names []string) ([]string, error) {
	caps, err := ownCaps()
	if err != nil {
		return nil, err
	}
	held := func(c capability.Cap) bool { return caps.Get(capability.EFFECTIVE, c) }
	var missing []string
	for _, name := range names {
		if !slices.ContainsFunc(capNumbers[name], held) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// initUserNamespace is the number of the first user namespace
// (PROC_USER_INIT_INO, include/linux/proc_ns.h).
const initUserNamespace = 0xeffffffd

// inUserNamespace reports whether the caller is in a user namespace other than
// the host's, in which capabilities do not count for BPF; ok is false if that
// cannot be told.
func inUserNamespace() (inner, ok bool) {
	id, err := procfs.SelfNamespace("user")
	return err == nil && id != initUserNamespace, err == nil
}

func runsAsRoot() bool { return os.Geteuid() == 0 }
