package conformance

import _ "embed"

// Programs of the workloads, each in its language's own way of using memory.
const (
	pythonSource = `
import ctypes, mmap, os, subprocess, threading

def work(n):
    for i in range(50):
        m = mmap.mmap(-1, (i % 7 + 1) * 65536)
        m[0] = 1
        if i % 3:
            m.resize((i % 5 + 1) * 65536)
        b = [bytearray(200000 + i) for _ in range(20)]
        if i % 2:
            m.close()
    if n == 0:
        subprocess.run(["true"], check=True)

threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
pid = os.fork()
if pid == 0:
    work(1)
    os._exit(0)
os.waitpid(pid, 0)
`

	// sqliteScript takes the number of rows.
	sqliteScript = `PRAGMA mmap_size=268435456;
CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
INSERT INTO t SELECT i, randomblob(500) FROM n;
DELETE FROM t WHERE a %% 3 = 0;
VACUUM;
SELECT count(*), sum(length(b)) FROM t;`

	nodeSource = `
const { Worker, isMainThread } = require('worker_threads');
const { execFileSync } = require('child_process');
let keep = [];
for (let i = 0; i < 300; i++) {
  keep.push(Buffer.alloc(1 << (10 + i % 13)));
  if (i % 10 == 0) keep = keep.slice(-5);
}
let objects = [];
for (let i = 0; i < 300000; i++) objects.push({ i, s: 'x' + i });
if (isMainThread) {
  execFileSync('true');
  for (let i = 0; i < 3; i++) new Worker(__filename);
}
`

	javaSource = `
import java.util.*;

public class W {
    static void work() {
        List<byte[]> keep = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            keep.add(new byte[1 << (i % 18)]);
            if (keep.size() > 200) keep.subList(0, 100).clear();
        }
    }

    public static void main(String[] args) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Thread t = new Thread(W::work);
            t.start();
            threads.add(t);
        }
        for (Thread t : threads) t.join();
        new ProcessBuilder("true").start().waitFor();
        System.gc();
    }
}
`
)

// Those that are compiled are files, so that they can be compiled elsewhere.
var (
	//go:embed testdata/goload/main.go
	goSource string
	//go:embed testdata/malloc.c
	mallocSource string
)
