package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// shellQuote returns words as a command line that sh takes apart into them.
func shellQuote(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteWord(w)
	}
	return strings.Join(quoted, " ")
}

func quoteWord(w string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			strings.ContainsRune("-_./:,=+@%^", r)
	}
	if w != "" && !strings.ContainsFunc(w, func(r rune) bool { return !plain(r) }) {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// withSudo returns the user's own command line with sudo before it. sudo looks
// for programs in a path of its own: where that would not find this one, its
// full name is taken.
func withSudo(args []string) string {
	words := slices.Clone(args)
	if !strings.Contains(words[0], "/") {
		if path, err := exec.LookPath(words[0]); err == nil && !inSecurePath(path) {
			words[0] = path
		}
	}
	return "sudo " + shellQuote(words...)
}

// inSecurePath reports whether path is where sudoers files usually let sudo look.
func inSecurePath(path string) bool {
	switch filepath.Dir(path) {
	case "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin":
		return true
	}
	return false
}

// ownPath returns the path of the running program.
func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		return "mmtrace"
	}
	return path
}
