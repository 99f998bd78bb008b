package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// redisTable measures a server under load, untraced and traced in turn.
func (b *bench) redisTable() error {
	for _, need := range []string{"redis-server", "redis-benchmark", "redis-cli"} {
		if _, err := exec.LookPath(need); err != nil {
			return fmt.Errorf("%s: %w", need, errMissing)
		}
	}
	sock := filepath.Join(b.dir, "redis")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", sock, "--save", "", "--dir", b.dir)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting redis-server: %w", err)
	}
	defer func() {
		_ = server.Process.Kill() // it may have ended
		_ = server.Wait()
	}()
	up := time.Now()
	for exec.Command("redis-cli", "-s", sock, "ping").Run() != nil {
		if time.Since(up) > 10*time.Second {
			return fmt.Errorf("starting redis-server: no answer on %s", sock)
		}
		time.Sleep(20 * time.Millisecond)
	}
	var before, ratios, attach sample
	var events uint64
	for range b.rounds {
		was, err := b.redisLoad(sock)
		if err != nil {
			return err
		}
		a, err := b.attach(toolNamed("mmtrace"), server.Process.Pid)
		if err != nil {
			return err
		}
		is, err := b.redisLoad(sock)
		a.detach()
		if err != nil {
			return err
		}
		q, err := b.quality()
		if err != nil {
			return err
		}
		before = append(before, was)
		ratios = append(ratios, was/is)
		attach = append(attach, a.took.Seconds()*1000)
		events += q.Events
	}
	b.table("redis-server under redis-benchmark", "SETs of 2,000 bytes over a socket, and milliseconds until mmtrace traced it.",
		[]string{"requests/s untraced", "times as slow under mmtrace", "events a run", "attach"},
		[][]string{{before.String(), ratios.String(), fmt.Sprint(events / uint64(b.rounds)), attach.String()}})
	return nil
}

// redisLoad returns requests a second.
func (b *bench) redisLoad(sock string) (float64, error) {
	n := "200000"
	if b.quick {
		n = "50000"
	}
	out, err := exec.Command("redis-benchmark", "-s", sock, "--csv", "-n", n, "-r", "20000", "-d", "2000", "-t", "set").Output()
	if err != nil {
		return 0, fmt.Errorf("running redis-benchmark: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(line, ",")
		if f[0] == `"SET"` && len(f) > 1 {
			return strconv.ParseFloat(strings.Trim(f[1], "\"\n"), 64)
		}
	}
	return 0, fmt.Errorf("reading redis-benchmark's result: %q", out)
}
