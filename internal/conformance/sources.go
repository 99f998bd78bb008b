package conformance

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

	sqliteScript = `PRAGMA mmap_size=268435456;
CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000)
INSERT INTO t SELECT i, randomblob(500) FROM n;
DELETE FROM t WHERE a % 3 = 0;
VACUUM;
SELECT count(*), sum(length(b)) FROM t;`

	goSource = `package main

import (
	"os/exec"
	"runtime"
	"runtime/debug"
	"sync"
)

var sink [16][]byte

func main() {
	var wg sync.WaitGroup
	for i := range sink {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range 200 {
				sink[i] = make([]byte, 1<<(n%22))
			}
			runtime.LockOSThread()
		}()
	}
	wg.Wait()
	if err := exec.Command("true").Run(); err != nil {
		panic(err)
	}
	clear(sink[:])
	debug.FreeOSMemory()
}
`

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

	mallocSource = `
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int rounds = 10;
static void *shared[1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
	unsigned seed = (unsigned)(unsigned long)arg * 7919 + 1;
	for (int i = 0; i < rounds * 100; i++) {
		unsigned size = 1u << (rand_r(&seed) % (rand_r(&seed) % 50 ? 14 : 22));
		char *p = malloc(size), *old;
		memset(p, 1, size < 8192 ? size : 8192);
		pthread_mutex_lock(&lock);
		int at = rand_r(&seed) % 1024;
		old = shared[at];
		shared[at] = p;
		pthread_mutex_unlock(&lock);
		free(old);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	rounds = argc > 2 ? atoi(argv[2]) : rounds;
	pthread_t th[64];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < n && i < 64; i++)
			pthread_create(&th[i], 0, work, (void *)(long)(i + 100 * round));
		for (int i = 0; i < n && i < 64; i++)
			pthread_join(th[i], 0);
	}
	for (int i = 0; i < 1024; i++)
		free(shared[i]);
	return 0;
}
`
)
