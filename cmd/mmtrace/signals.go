package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// An interrupter turns signals into what they mean for a window. It is made by
// newInterrupter.
type interrupter struct {
	// stop is closed at the first INT or TERM: the window ends, with a report.
	stop chan struct{}
	// interim gets a value at each USR1 that was not answered yet.
	interim chan struct{}
	// quit ends the run at the second INT or TERM.
	quit context.CancelCauseFunc
	// pass, if set, gets the first INT or TERM in place of stop: a traced command
	// decides what it means, and the window ends with the command.
	pass func(os.Signal)

	first bool // the first one has come
}

func newInterrupter(quit context.CancelCauseFunc) *interrupter {
	return &interrupter{stop: make(chan struct{}), interim: make(chan struct{}, 1), quit: quit}
}

// handle acts on one signal. It is called from one goroutine.
func (i *interrupter) handle(sig os.Signal) {
	switch {
	case sig == interimSignal:
		select {
		case i.interim <- struct{}{}:
		default: // one is waiting
		}
	case i.first:
		i.quit(errInterrupted)
	default:
		i.first = true
		if i.pass != nil {
			i.pass(sig)
			return
		}
		close(i.stop)
	}
}

// listen hands signals to i until the function that it returns is called.
func (i *interrupter) listen() (done func()) {
	sigs := make(chan os.Signal, 8)
	signal.Notify(sigs, os.Interrupt, terminateSignal, interimSignal)
	var wg sync.WaitGroup
	wg.Go(func() {
		for sig := range sigs {
			i.handle(sig)
		}
	})
	return func() {
		signal.Stop(sigs)
		close(sigs)
		wg.Wait()
	}
}
