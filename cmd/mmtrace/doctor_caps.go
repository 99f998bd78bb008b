package main

import (
	"errors"
	"slices"
	"strings"
)

// checkCaps says whether the capabilities are there that tracing takes.
func checkCaps() check {
	err := checkPrivileges()
	missing, merr := missingCaps(allCaps)
	var rights *privilegeError
	switch {
	case errors.As(err, &rights) && !rights.filter: // which has a line of its own
		return capsMissing(rights)
	case rights == nil && err != nil || merr != nil:
		return check{Name: "capabilities", State: stateFail, Text: errors.Join(err, merr).Error()}
	case len(missing) > 0:
		return ptraceMissing(missing)
	}
	return pass("capabilities", "%s", strings.Join(allCaps, ", "))
}

func ptraceMissing(missing []string) check {
	return check{Name: "capabilities", State: stateWarn, Next: toGet(allCaps, missing),
		Text: "missing: " + strings.Join(missing, ", ") + ": other users' processes cannot be traced, or not all of them is seen"}
}

func capsMissing(e *privilegeError) check {
	c := check{Name: "capabilities", State: stateFail, code: exitNotPermitted}
	if len(e.missing) == 0 {
		c.Text, c.Next = "those of a user namespace (a rootless container?) do not count for BPF", outsideUserNamespace
		return c
	}
	c.Text, c.Next = "missing: "+strings.Join(e.missing, ", "), toGet(allCaps, e.missing)
	return c
}

// toGet says how to get missing, of all that are wanted.
func toGet(all, missing []string) string {
	if runsAsRoot() {
		return "start the container or service with " + strings.Join(missing, ", ")
	}
	return "sudo, or: " + setcapLine(all)
}

// checkMoreCaps says what further capabilities are there, and what those that are
// not would add, a line for each. That is no warning, since it is a matter of
// taste.
func checkMoreCaps() []check {
	var names []string
	for _, c := range moreCaps {
		names = append(names, c.name)
	}
	missing, err := missingCaps(names)
	if err != nil {
		return []check{{Name: moreRights, State: stateWarn, Text: err.Error()}}
	}
	return moreCapsChecks(missing)
}

const moreRights = "more rights"

func moreCapsChecks(missing []string) []check {
	var held []string
	var out []check
	for _, c := range moreCaps {
		if !slices.Contains(missing, c.name) {
			held = append(held, c.name)
			continue
		}
		line := pass(moreRights, "no %s: %s", c.name, c.use)
		if c.easy && !runsAsRoot() {
			line.Next = setcapLine(append(slices.Clone(allCaps), c.name))
		}
		out = append(out, line)
	}
	if len(held) > 0 {
		out = append([]check{pass(moreRights, "%s", strings.Join(held, ", "))}, out...)
	}
	return out
}
