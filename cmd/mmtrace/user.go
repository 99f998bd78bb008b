package main

import (
	"fmt"
	"os/user"
	"slices"
	"strings"
)

// A runAs is the user that a command runs as; the zero value is the caller.
type runAs struct {
	uid, gid   string
	groups     []string
	name, home string
}

// commandUser returns the user who called sudo, since it is their command, or
// the caller if there was no sudo or --as-root is set.
func (o *options) commandUser(euid int, getenv func(string) string) (runAs, error) {
	uid := getenv("SUDO_UID")
	if euid != 0 || o.asRoot || uid == "" || uid == "0" {
		return runAs{}, nil
	}
	u, err := user.LookupId(uid)
	if err != nil {
		return runAs{}, fmt.Errorf("looking up the user who called sudo: %w", err)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return runAs{}, fmt.Errorf("looking up the groups of %s: %w", u.Username, err)
	}
	gid := getenv("SUDO_GID")
	if gid == "" {
		gid = u.Gid
	}
	return runAs{u.Uid, gid, groups, u.Username, u.HomeDir}, nil
}

// ids returns what dropTo takes: "" for the caller, else "uid:gid:group,group".
func (r runAs) ids() string {
	if r.uid == "" {
		return ""
	}
	return r.uid + ":" + r.gid + ":" + strings.Join(r.groups, ",")
}

// environ returns env as r would have it: with a home and name of its own, and
// without what sudo left.
func (r runAs) environ(env []string) []string {
	if r.uid == "" {
		return env
	}
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(key, "SUDO_") || key == "HOME" || key == "USER" || key == "LOGNAME"
	})
	return append(env, "HOME="+r.home, "USER="+r.name, "LOGNAME="+r.name)
}
