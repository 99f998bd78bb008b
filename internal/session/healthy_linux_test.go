package session

import (
	"os/exec"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// healthyPrograms are unmodified programs that work until they are killed and do
// not leak.
func healthyPrograms() []program {
	return []program{
		{
			name: "redis", needs: []string{"redis-server", "redis-cli", "redis-benchmark"},
			argv:  []string{"redis-server", "--port", "0", "--unixsocket", "sock", "--save", "", "--dir", "."},
			ready: []string{"redis-cli", "-s", "sock", "ping"},
			load:  [][]string{{"redis-benchmark", "-s", "sock", "-q", "-n", "1000000", "-r", "2000", "-d", "3000", "-c", "5", "-t", "set,get"}},
		},
		{name: "node", needs: []string{"node"}, files: map[string]string{"w.js": healthyNode}, argv: []string{"node", "w.js"}},
		{name: "java", needs: []string{"java", "javac"}, files: map[string]string{"W.java": healthyJava}, argv: []string{"java", "-Xmx64m", "W.java"}},
		{name: "python", needs: []string{"python3"}, files: map[string]string{"w.py": healthyPython}, argv: []string{"python3", "w.py"}},
	}
}

// healthy starts those of healthyPrograms that this machine has.
func healthy(t *testing.T) []*subject {
	t.Helper()
	var out []*subject
	for _, pr := range healthyPrograms() {
		missing := ""
		for _, need := range pr.needs {
			if _, err := exec.LookPath(need); err != nil {
				missing = need
			}
		}
		if missing != "" {
			t.Logf("%s is left out: no %s", pr.name, missing)
			continue
		}
		dir := workDir(t, pr)
		pid := launch(t, pr, dir)
		if pr.ready != nil {
			eventually(t, pr.name+" to be ready", func() bool { return pr.command(dir, pr.ready).Run() == nil })
		}
		for _, argv := range pr.load {
			launch(t, program{name: argv[0], argv: argv}, dir)
		}
		out = append(out, &subject{name: pr.name, pid: event.PID(pid)})
	}
	return out
}

// Programs that make and drop objects.
const (
	healthyPython = `
import collections, mmap, time
keep = collections.deque(maxlen=40)
while True:
    keep.append(["x" * (i % 500) for i in range(2000)])
    keep.append(bytearray(300000))
    m = mmap.mmap(-1, 65536)
    m[0] = 1
    m.close()
    time.sleep(0.02)
`
	healthyNode = `
let keep = [];
setInterval(() => {
  for (let i = 0; i < 500; i++) keep.push({ i, text: 'x' + i });
  keep.push(Buffer.alloc(300000, 1));
  if (keep.length > 20000) keep = keep.slice(10000);
}, 20);
`
	healthyJava = `
import java.util.*;
public class W {
    public static void main(String[] args) throws Exception {
        Deque<byte[]> keep = new ArrayDeque<>();
        while (true) {
            for (int i = 0; i < 100; i++) keep.add(new byte[2000]);
            while (keep.size() > 5000) keep.remove();
            Thread.sleep(20);
        }
    }
}
`
)
