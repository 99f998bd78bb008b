package main

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"
)

func TestInterrupter(t *testing.T) {
	ctx, quit := context.WithCancelCause(t.Context())
	i := newInterrupter(quit)
	i.handle(interimSignal)
	i.handle(interimSignal)
	if len(i.interim) != 1 {
		t.Errorf("%d reports wait, want 1 for two signals", len(i.interim))
	}
	i.handle(os.Interrupt)
	select {
	case <-i.stop:
	default:
		t.Error("the first INT does not stop")
	}
	if ctx.Err() != nil {
		t.Error("the first INT quits")
	}
	i.handle(terminateSignal)
	if cause := context.Cause(ctx); cause != errInterrupted {
		t.Errorf("after the second: %v", cause)
	}
	i.handle(os.Interrupt) // a third is as the second
}

func TestInterrupterPassesTheFirstToACommand(t *testing.T) {
	ctx, quit := context.WithCancelCause(t.Context())
	i := newInterrupter(quit)
	var passed []os.Signal
	i.pass = func(sig os.Signal) { passed = append(passed, sig) }
	i.handle(terminateSignal)
	select {
	case <-i.stop:
		t.Error("the window stops before the command")
	default:
	}
	if !slices.Equal(passed, []os.Signal{terminateSignal}) || ctx.Err() != nil {
		t.Errorf("passed %v, quit %v", passed, ctx.Err())
	}
	i.handle(os.Interrupt)
	if context.Cause(ctx) != errInterrupted {
		t.Error("the second does not quit")
	}
}

func TestInterrupterListens(t *testing.T) {
	_, quit := context.WithCancelCause(t.Context())
	i := newInterrupter(quit)
	done := i.listen()
	defer done()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(interimSignal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-i.interim:
	case <-time.After(5 * time.Second):
		t.Error("the signal did not arrive")
	}
}
