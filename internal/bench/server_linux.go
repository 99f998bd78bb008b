package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A redis is a server at work.
type redis struct {
	cmd  *exec.Cmd
	sock string
	pid  int // of the server, which a tool may have started
}

// startRedis starts a server, under a tool if that starts programs itself.
func (b *bench) startRedis(t tool) (*redis, error) {
	srv := &redis{sock: filepath.Join(b.dir, "redis")}
	var err error
	if srv.cmd, err = b.command(t, "redis-server", "--port", "0", "--unixsocket", srv.sock, "--save", "", "--dir", b.dir); err != nil {
		return nil, err
	}
	if err := srv.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting redis-server: %w", err)
	}
	up := time.Now()
	for srv.pid == 0 {
		if time.Since(up) > 30*time.Second {
			srv.stop()
			return nil, fmt.Errorf("starting redis-server: no answer on %s", srv.sock)
		}
		time.Sleep(20 * time.Millisecond)
		srv.pid = srv.asked()
	}
	return srv, nil
}

// asked returns the process ID that the server gives, 0 if there is no answer.
func (srv *redis) asked() int {
	out, _ := exec.Command("redis-cli", "-s", srv.sock, "info", "server").Output() // it may not be there yet
	for line := range strings.Lines(string(out)) {
		if id, ok := strings.CutPrefix(line, "process_id:"); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(id))
			return pid
		}
	}
	return 0
}

// cpu returns the microseconds that the server's main thread has run.
func (srv *redis) cpu() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", srv.pid)) // 0 shows in the table
	ns, _, _ := strings.Cut(string(text), " ")
	v, _ := strconv.ParseFloat(ns, 64)
	return v / 1000
}

// stop ends the server, and what runs it.
func (srv *redis) stop() {
	timer := time.AfterFunc(10*time.Second, func() { killTree(srv.cmd.Process.Pid) }) // it may have ended
	defer timer.Stop()
	_ = exec.Command("redis-cli", "-s", srv.sock, "shutdown", "nosave").Run() // the answer is its end
	_ = srv.cmd.Wait()
}

// A requestSpeed is what redis-benchmark measured.
type requestSpeed struct {
	rate float64 // requests a second
	p99  float64 // ms
	cpu  float64 // us of the server for a request
}

// redisLoad lets redis-benchmark run once.
func (b *bench) redisLoad(srv *redis) (s requestSpeed, err error) {
	before := srv.cpu()
	out, err := exec.Command("redis-benchmark", "-s", srv.sock, "--csv", "-n", b.requests(), "-r", "20000", "-d", "2000", "-t", "set").Output()
	if err != nil {
		return s, fmt.Errorf("running redis-benchmark: %w", err)
	}
	n, _ := strconv.ParseFloat(b.requests(), 64) // ours
	s.cpu = (srv.cpu() - before) / n
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
