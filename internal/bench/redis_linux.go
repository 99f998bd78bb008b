package main

import (
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// A redisRow is what one tool did to a server.
type redisRow struct {
	slower, later, busier  sample // times
	attach, detach         sample // ms
	cpus                   sample
	rss                    int64
	events, lost, verified uint64
	missing                bool
}

// redisTable measures a server under load with every tool in turn, a new server for
// each.
func (b *bench) redisTable() error {
	for _, need := range []string{"redis-server", "redis-benchmark", "redis-cli"} {
		if _, err := exec.LookPath(need); err != nil {
			return fmt.Errorf("%s: %w", need, errMissing)
		}
	}
	rows := make([]redisRow, len(tools))
	for round := range b.redisRounds() {
		for i, t := range tools {
			if !t.watches() || t.slow && (b.quick || round > 0) {
				continue
			}
			if err := b.redisPair(t, &rows[0], &rows[i]); err != nil {
				return fmt.Errorf("with %s: %w", t.name, err)
			}
		}
	}
	var cells [][]string
	for i, t := range tools {
		if len(rows[i].slower) > 0 || rows[i].missing {
			cells = append(cells, rows[i].cells(t))
		}
	}
	b.table("redis-server under redis-benchmark", fmt.Sprintf("%s SETs of 2,000 bytes over a socket, a new server each time, an untraced one before each; median, least and greatest of %d rounds. "+
		"Untraced: requests/s, p99 in ms, and us of the server's CPU time for a request. A tool's CPUs and memory are its own, with start and report; "+
		"attaching ends when it says so, detaching when it has exited.", b.requests(), b.redisRounds()),
		[]string{"tool", "requests/s, times fewer", "p99, times as late", "CPU a request, times", "its CPUs", "its memory", "attach, ms", "detach, ms"}, cells)
	for i, t := range tools {
		if r := rows[i]; t.name == "mmtrace" {
			fmt.Fprintf(b.out, "mmtrace in these runs: %d events, %d lost; the map verified in %d of %d.\n\n", r.events, r.lost, r.verified, len(r.slower))
		}
	}
	return nil
}

// redisPair loads a server untraced, whose figures go into the row none, and then one
// under a tool.
func (b *bench) redisPair(t tool, none, r *redisRow) error {
	was, err := b.redisRun(tools[0], none)
	if err != nil {
		return err
	}
	is, err := b.redisRun(t, r)
	if r.missing = errors.Is(err, errMissing); r.missing {
		return nil
	}
	if err != nil {
		return err
	}
	none.add(was.rate, was.p99, was.cpu)
	r.add(was.rate/is.rate, is.p99/was.p99, is.cpu/was.cpu)
	return nil
}

func (r *redisRow) add(slower, later, busier float64) {
	r.slower = append(r.slower, slower)
	r.later = append(r.later, later)
	r.busier = append(r.busier, busier)
}

// cells returns the row of a table. A tool that runs the server has no process of
// its own.
func (r *redisRow) cells(t tool) []string {
	if r.missing {
		return []string{t.name, "not installed", "", "", "", "", "", ""}
	}
	rss := "–"
	if r.rss > 0 {
		rss = mebibytes(r.rss)
	}
	return []string{t.name, r.slower.String(), r.later.String(), r.busier.String(), r.cpus.String(), rss, r.attach.String(), r.detach.String()}
}

func (b *bench) redisRounds() int {
	if b.quick {
		return min(2, b.rounds)
	}
	return b.rounds
}

func (b *bench) requests() string {
	if b.quick {
		return "50000"
	}
	return "200000"
}

// redisRun starts a server, loads it under a tool, and adds to r what the tool took
// for itself.
func (b *bench) redisRun(t tool, r *redisRow) (s requestSpeed, err error) {
	srv, err := b.startRedis(t)
	if err != nil {
		return s, err
	}
	defer srv.stop()
	a, err := b.attach(t, srv.pid)
	if err != nil {
		return s, err
	}
	start := time.Now()
	s, err = b.redisLoad(srv)
	took := time.Since(start)
	u := a.detach()
	if err != nil || a == nil {
		return s, err
	}
	r.attach = append(r.attach, a.took.Seconds()*1000)
	r.detach = append(r.detach, u.detach.Seconds()*1000)
	r.cpus = append(r.cpus, u.cpu.Seconds()/took.Seconds())
	r.rss = max(r.rss, u.rss)
	if t.name != "mmtrace" {
		return s, nil
	}
	q, err := b.quality()
	r.events += q.Events
	r.lost += q.Lost + q.Missed
	if q.Verified {
		r.verified++
	}
	return s, err
}
