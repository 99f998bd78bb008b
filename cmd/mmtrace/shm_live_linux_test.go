package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mmtrace/mmtrace/internal/testutil"
)

// shmScript makes namespaces in which there is no shared memory but that of the
// fixture shm.c, which has made all of it and waits. Its path is in $FIX.
const shmScript = `
mount -t tmpfs none /dev/shm
mkfifo in out
$FIX fx <in >out &
exec 3>in 4<out
echo go >&3
while read -r line <&4; do [ "$line" != done ] || break; done
`

func runShm(t *testing.T, script string) (result, string) {
	t.Helper()
	r := inNamespace(t, []string{"-m", "-i", "-p", "-f", "--mount-proc"}, 0, shmScript+script)
	r.cmd.Env = append(r.cmd.Env, "FIX="+testutil.Compile(t, "shm.c", "-O2"), "COLUMNS=200")
	r.start()
	return r.wait(), r.cmd.Dir
}

// steady replaces what differs from run to run.
func steady(text string) string {
	for _, x := range [][2]string{
		{`pid \d+`, "pid N"}, {`/proc/\d+/`, "/proc/N/"}, {`[0-9a-f]{6,}-[0-9a-f]{6,}`, "START-END"},
		{`\d+(\.\d)? s ago`, "T ago"}, {`-inum \d+`, "-inum N"},
	} {
		text = regexp.MustCompile(x[0]).ReplaceAllString(text, x[1])
	}
	return text
}

func TestShm(t *testing.T) {
	// The same again in an IPC namespace with a /dev/shm of its own, where segments
	// have the same IDs.
	const other = `
mkfifo in2 out2
unshare -i -m sh -ec 'mount -t tmpfs none /dev/shm; exec $FIX fy <in2 >out2' &
exec 5>in2 6<out2
echo go >&5
while read -r line <&6; do [ "$line" != done ] || break; done
`
	for _, tt := range []struct {
		name, script, needs string
		code                int
	}{
		{"root", "exec $M shm -T 0", "unshare", exitOK},
		{"first", "exec $M shm -T 1 -q", "unshare", exitOK},
		{"strict", "exec $M shm -T 1 --strict -F text >/dev/null", "unshare", exitIncomplete}, // a pid namespace of its own
		{"other", other + "exec $M shm -T 1", "unshare", exitOK},
		{"nobody", "exec setpriv --reuid 65534 --clear-groups --bounding-set -all $M shm -T 1", "setpriv", exitOK},
		{"ptrace", "exec setpriv --reuid 65534 --clear-groups --inh-caps=+sys_ptrace --ambient-caps=+sys_ptrace $M shm -T 1", "setpriv", exitOK},
		{"noshm", "mount -t tmpfs none /dev; exec $M shm -T 1 -o -", "unshare", exitOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(tt.needs); err != nil {
				testutil.Need(t, tt.needs+"(1)")
			}
			got, _ := runShm(t, tt.script)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			text := steady(got.out + "----- messages\n" + got.err)
			path := filepath.Join("testdata", "shm", tt.name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The sizes are those that the fixture made, to the page.
func TestShmJSON(t *testing.T) {
	t.Parallel()
	got, dir := runShm(t, "exec $M shm --json -o a.json -o a.txt")
	if got.code != exitOK || got.out+got.err != "" {
		t.Fatalf("exit code %d\n%s%s", got.code, got.out, got.err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	type sum struct{ Count, Bytes, Attachments int }
	var have, want struct {
		Schema string
		Totals struct {
			Unused int `json:"unused_bytes"`
			Held   int `json:"held_bytes"`
			Empty  int `json:"empty_count"`
		}
		InUse map[string]sum `json:"in_use"`
	}
	if err := json.Unmarshal(text, &have); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	want.Schema = "mmtrace.shm/v1"
	want.Totals.Unused, want.Totals.Held, want.Totals.Empty = (7+2+23)*page, (11+17+19+29)*page, 2
	want.InUse = map[string]sum{"posix": {1, 3 * page, 0}, "memfd": {1, 13 * page, 0}, "sysv": {1, 5 * page, 1}}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
