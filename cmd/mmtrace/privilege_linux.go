package main

import (
	"fmt"
	"os"

	"github.com/moby/sys/capability"
)

// The kernel takes CAP_SYS_ADMIN in place of the two that were split from it in
// Linux 5.8 (include/linux/capability.h: bpf_capable, perfmon_capable).
var capNumbers = map[string][]capability.Cap{
	"cap_bpf":        {capability.CAP_BPF, capability.CAP_SYS_ADMIN},
	"cap_perfmon":    {capability.CAP_PERFMON, capability.CAP_SYS_ADMIN},
	"cap_sys_ptrace": {capability.CAP_SYS_PTRACE},
}

// missingCaps returns those of allCaps that are not in force, in that order.
func missingCaps() ([]string, error) {
	caps, err := capability.NewPid2(0)
	if err == nil {
		err = caps.Load()
	}
	if err != nil {
		return nil, fmt.Errorf("reading own capabilities: %w", err)
	}
	var missing []string
	for _, name := range allCaps {
		held := false
		for _, c := range capNumbers[name] {
			held = held || caps.Get(capability.EFFECTIVE, c)
		}
		if !held {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

func runsAsRoot() bool { return os.Geteuid() == 0 }
