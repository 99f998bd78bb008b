//go:build !linux

package main

func machineChecks() []check {
	return []check{{Name: "system", State: stateFail, Text: checkPrivileges().Error(),
		Next: "mmtrace report FILE.mmtrace works here, with a recording made on Linux"}}
}
