package main

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// link forwards connections until it is cut: then bytes go nowhere, and
// neither side is told.
type link struct {
	addr string
	mu   sync.Mutex
	down bool
	rate int // bytes a second each way; 0: as many as there are
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &link{addr: listener.Addr().String()}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go l.forward(near, far)
			go l.forward(far, near)
		}
	}()
	return l
}

// forward copies what comes while the link is up. It closes to when from ends,
// which a cut link does not tell either.
func (l *link) forward(to io.WriteCloser, from io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		down, rate := l.is()
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		if err == nil && !down {
			_, err = to.Write(buf[:n])
		} else if err != nil && down {
			return
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func (l *link) is() (down bool, rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down, l.rate
}

func (l *link) slow(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = rate
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}
