package testdb

import (
	"net"
	"sync"
	"testing"
)

// Proxy passes on what is said over TCP, as long as it is not held.
type Proxy struct {
	listener net.Listener
	to       string
	gate     sync.RWMutex // locked while it is held

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// StartProxy starts a proxy to an address. It ends with the test.
func StartProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, to: to}
	t.Cleanup(p.close)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// Address returns where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Hold keeps back all that is said from now on, without a word to anybody.
func (p *Proxy) Hold() { p.gate.Lock() }

// Release passes on what was held and what comes. It is called once after each [Proxy.Hold].
func (p *Proxy) Release() { p.gate.Unlock() }

func (p *Proxy) serve(from net.Conn) {
	to, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = from.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, from, to)
	closed := p.closed
	p.mu.Unlock()
	if closed {
		_ = from.Close()
		_ = to.Close()
		return
	}
	go p.pass(from, to)
	p.pass(to, from)
}

// pass ends, and both connections with it, when one of them does.
func (p *Proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.gate.RLock()
		p.gate.RUnlock() //nolint:staticcheck // nothing is done in between: it waits
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}
