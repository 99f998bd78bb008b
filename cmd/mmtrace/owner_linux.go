package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownerOf returns whom the output at path is to belong to, if that is not the
// caller: a file that exists keeps its owner, and under sudo a new one belongs to
// the user if it is in a directory in which they could have made it themselves.
func ownerOf(path string) (o owner, ok bool) {
	if os.Geteuid() != 0 {
		return owner{}, false
	}
	if st := statOf(path); st != nil {
		return owner{int(st.Uid), int(st.Gid)}, st.Uid != 0
	}
	uid, err1 := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(os.Getenv("SUDO_GID"))
	dir := statOf(filepath.Dir(path))
	if err1 != nil || err2 != nil || uid <= 0 || gid < 0 || dir == nil {
		return owner{}, false
	}
	const write = 0o2 // of "others", eight times as much of the group, and so on
	theirs := dir.Mode&write != 0 ||
		int(dir.Gid) == gid && dir.Mode&(write<<3) != 0 ||
		int(dir.Uid) == uid && dir.Mode&(write<<6) != 0
	return owner{uid, gid}, theirs
}

func statOf(path string) *syscall.Stat_t {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	st, _ := info.Sys().(*syscall.Stat_t)
	return st
}
