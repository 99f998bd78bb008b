package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
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
	var before, slower, p99, later, attach, detach, cpu sample
	var events, lost uint64
	var rss int64
	for range b.rounds {
		was, err := b.redisLoad(sock)
		if err != nil {
			return err
		}
		a, err := b.attach(toolNamed("mmtrace"), server.Process.Pid)
		if err != nil {
			return err
		}
		start := time.Now()
		is, err := b.redisLoad(sock)
		took := time.Since(start)
		u := a.detach()
		if err != nil {
			return err
		}
		q, err := b.quality()
		if err != nil {
			return err
		}
		before = append(before, was.rate)
		slower = append(slower, was.rate/is.rate)
		p99 = append(p99, was.p99)
		later = append(later, is.p99/was.p99)
		attach = append(attach, a.took.Seconds()*1000)
		detach = append(detach, u.detach.Seconds()*1000)
		cpu = append(cpu, u.cpu.Seconds()/took.Seconds())
		rss = max(rss, u.rss)
		events += q.Events
		lost += q.Lost + q.Missed
	}
	b.table("redis-server under redis-benchmark", "SETs of 2,000 bytes over a socket. Attaching and detaching are those of mmtrace, in milliseconds; "+
		"its CPUs with start and report.",
		[]string{"", "untraced", "under mmtrace"},
		[][]string{
			{"requests/s, times as slow", before.String(), slower.String()},
			{"p99 in ms, times as late", p99.String(), later.String()},
			{"events a run, lost in all", "", fmt.Sprintf("%d, %d", events/uint64(b.rounds), lost)},
			{"attach", "", attach.String()},
			{"detach, with the report", "", detach.String()},
			{"mmtrace's CPUs", "", cpu.String()},
			{"mmtrace's memory", "", mebibytes(rss)},
		})
	return nil
}

// A requestSpeed is what redis-benchmark measured.
type requestSpeed struct {
	rate float64 // requests a second
	p99  float64 // ms
}

// redisLoad lets redis-benchmark run once.
func (b *bench) redisLoad(sock string) (s requestSpeed, err error) {
	n := "200000"
	if b.quick {
		n = "50000"
	}
	out, err := exec.Command("redis-benchmark", "-s", sock, "--csv", "-n", n, "-r", "20000", "-d", "2000", "-t", "set").Output()
	if err != nil {
		return s, fmt.Errorf("running redis-benchmark: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		return s, fmt.Errorf("reading redis-benchmark's result: %w", err)
	}
	for i, row := range rows {
		if i == 0 || row[0] != "SET" {
			continue
		}
		for j, name := range rows[0] {
			switch name {
			case "rps":
				s.rate, err = strconv.ParseFloat(row[j], 64)
			case "p99_latency_ms":
				s.p99, err = strconv.ParseFloat(row[j], 64)
			}
			if err != nil {
				return s, fmt.Errorf("reading redis-benchmark's result: %w", err)
			}
		}
	}
	if s.rate == 0 || s.p99 == 0 {
		return s, fmt.Errorf("reading redis-benchmark's result: %q", out)
	}
	return s, nil
}
