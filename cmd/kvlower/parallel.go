package main

import (
	"runtime"
	"sync"
)

const (
	// maxThreads bounds how many slices are cut at a time, each of which takes memory.
	maxThreads = 16
	// maxAhead is how many results may wait for one before them.
	maxAhead = 64
)

// inOrder calls work with each number below n, several at a time, and take with what came of it, one
// after another in the order of the numbers. It returns the first error in that order.
func inOrder[T any](n int, work func(int) (T, error), take func(T) error) error {
	type result struct {
		value T
		err   error
	}
	results := make([]chan result, n)
	for i := range results {
		results[i] = make(chan result, 1)
	}
	numbers, room, stop := make(chan int), make(chan struct{}, maxAhead), make(chan struct{})
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(stop)
	for range min(runtime.GOMAXPROCS(0), maxThreads, n) {
		workers.Go(func() {
			for i := range numbers {
				v, err := work(i)
				results[i] <- result{v, err}
			}
		})
	}
	go func() {
		defer close(numbers)
		for i := range n {
			select {
			case room <- struct{}{}:
			case <-stop:
				return
			}
			select {
			case numbers <- i:
			case <-stop:
				return
			}
		}
	}()
	for i := range results {
		r := <-results[i]
		if r.err != nil {
			return r.err
		}
		if err := take(r.value); err != nil {
			return err
		}
		<-room
	}
	return nil
}
