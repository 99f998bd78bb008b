package testutil

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Compile builds a C program and returns the path of the executable. src names
// a fixture of this package, as in "cases.c", or any other file when it holds a
// slash. Flags go to the compiler, before the source; -g and -pthread are always
// given, and no -O, so that the caller chooses one. A first flag of "CC=NAME"
// chooses the compiler: else it is $CC, gcc or clang, whichever is there first.
//
// Executables are cached by the content of the source and of the fixtures'
// headers, the flags and the compiler's version. Callers in several processes
// do not disturb each other. Without a compiler the test is skipped, in CI it
// fails. Where MMTRACE_FIXTURES names a directory, nothing is built; see prebuilt.
func Compile(t testing.TB, src string, flags ...string) string {
	t.Helper()
	if dir := os.Getenv(prebuiltEnv); dir != "" {
		return prebuilt(t, dir, strings.TrimSuffix(filepath.Base(src), filepath.Ext(filepath.Base(src))), flags)
	}
	cc, flags := compiler(t, flags)
	text, err := readSource(src)
	if err != nil {
		t.Fatalf("compiling %s: %v", src, err)
	}
	headers, err := fs.Glob(sources, "testdata/*.h")
	if err != nil {
		t.Fatalf("compiling %s: %v", src, err)
	}

	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n%s\n", cc, version(cc), flags, text)
	files := map[string][]byte{filepath.Base(src): text}
	for _, name := range headers {
		text, err := sources.ReadFile(name)
		if err != nil {
			t.Fatalf("compiling %s: %v", src, err)
		}
		files[filepath.Base(name)] = text
		fmt.Fprintf(h, "%s\n", text)
	}

	dir := filepath.Join(cacheDir(t), fmt.Sprintf("%x", h.Sum(nil)[:12]))
	exe := filepath.Join(dir, strings.TrimSuffix(filepath.Base(src), filepath.Ext(filepath.Base(src))))
	if _, err := os.Stat(exe); err == nil {
		return exe
	}
	if err := build(dir, filepath.Base(src), filepath.Base(exe), cc, flags, files); err != nil {
		t.Fatalf("compiling %s %s: %v", src, strings.Join(flags, " "), err)
	}
	return exe
}

// prebuiltEnv names a directory of fixtures for machines without compilers.
const prebuiltEnv = "MMTRACE_FIXTURES"

// prebuilt returns the fixture that scripts/vmtest has built. It lies in a
// directory named as the source with the flags behind it: "cases-O2-static/cases".
func prebuilt(t testing.TB, dir, name string, flags []string) string {
	t.Helper()
	exe := filepath.Join(dir, name+strings.Join(flags, ""), name)
	if !isFile(exe) {
		Need(t, exe)
	}
	return exe
}

// build compiles in a directory of its own, which then takes its place in one
// step; debug information names the final place.
func build(dir, src, exe, cc string, flags []string, files map[string][]byte) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o644); err != nil {
			return err
		}
	}
	args := []string{"-g", "-pthread", "-ffile-prefix-map=" + tmp + "=" + dir}
	args = append(args, flags...)
	args = append(args, "-o", filepath.Join(tmp, exe), filepath.Join(tmp, src))
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	err = os.Rename(tmp, dir)
	if errors.Is(err, fs.ErrExist) || isFile(filepath.Join(dir, exe)) {
		return nil // another process was faster
	}
	return err
}

func isFile(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.Mode().IsRegular()
}

func readSource(src string) ([]byte, error) {
	if strings.ContainsRune(src, '/') {
		return os.ReadFile(src)
	}
	return sources.ReadFile("testdata/" + src)
}

func compiler(t testing.TB, flags []string) (cc string, rest []string) {
	t.Helper()
	names := []string{"gcc", "clang"}
	if env := os.Getenv("CC"); env != "" {
		names = append([]string{env}, names...)
	}
	if len(flags) > 0 {
		if name, ok := strings.CutPrefix(flags[0], "CC="); ok {
			names, flags = []string{name}, flags[1:]
		}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, flags
		}
	}
	Need(t, "a C compiler: "+strings.Join(names, " or "))
	return "", nil
}

var versions sync.Map // of compilers, by path

func version(cc string) string {
	if v, ok := versions.Load(cc); ok {
		return v.(string)
	}
	out, err := exec.Command(cc, "--version").CombinedOutput()
	if err != nil {
		return "unknown"
	}
	versions.Store(cc, string(out))
	return string(out)
}

// cacheDir returns a directory that outlives the test where the user has one,
// else one of the test's own.
func cacheDir(t testing.TB) string {
	t.Helper()
	if base, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(base, "mmtrace", "fixtures")
		if os.MkdirAll(dir, 0o755) == nil {
			return dir
		}
	}
	return t.TempDir()
}

// GoBuild builds the Go program in dir, a directory or an import path such as
// Fixtures+"gofix", and returns the path of the executable, which lives as long
// as the test. Flags go to "go build". Where MMTRACE_FIXTURES names a directory,
// nothing is built; see prebuilt.
func GoBuild(t testing.TB, dir string, flags ...string) string {
	t.Helper()
	if fixtures := os.Getenv(prebuiltEnv); fixtures != "" {
		return prebuilt(t, fixtures, filepath.Base(dir), flags)
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		Need(t, "the go command")
	}
	exe := filepath.Join(t.TempDir(), filepath.Base(dir))
	args := append([]string{"build", "-o", exe}, flags...)
	if out, err := exec.Command(goCmd, append(args, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", dir, err, out)
	}
	return exe
}
