package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// networking are acts that may leave something in the network namespace.
var networking = map[string]func(args []string) error{
	"network":   func([]string) error { return network() },
	"readlink":  func(args []string) error { name, err := os.Readlink(args[0]); fmt.Println(name); return err },
	"listen":    func([]string) error { _, err := net.Listen("tcp", "127.0.0.1:7777"); return err },
	"abstract":  func([]string) error { _, err := net.Listen("unix", "@kvfarm"); return err },
	"udp":       udp,
	"join":      func([]string) error { return join() },
	"netlink":   func([]string) error { _, err := net.Interfaces(); return err },
	"flowlabel": func([]string) error { return flowLabel() },
}

// network prints all that the kernel says of the namespace.
func network() error {
	const dir = "/proc/self/net"
	return filepath.WalkDir(dir+"/", func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // some may not be looked at
		}
		body, err := os.ReadFile(file)
		below, _ := filepath.Rel(dir, file)
		fmt.Printf("==%s\n%s\n%v\n", below, body, err)
		return nil
	})
}

// udp connects to an address and, if that is asked for, sends.
func udp(args []string) error {
	c, err := net.Dial("udp", args[0])
	if err != nil || len(args) == 1 {
		return err
	}
	_, err = c.Write([]byte("x"))
	return err
}

func join() error {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return err
	}
	_, err = net.ListenMulticastUDP("udp", lo, &net.UDPAddr{IP: net.IPv4(239, 1, 2, 3), Port: 7777})
	return err
}

// flowLabel leases a label that outlives the socket.
func flowLabel() error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	// struct in6_flowlabel_req, linux/in6.h
	request := struct {
		addr                   [16]byte
		label                  uint32
		action, share          uint8
		flags, expires, linger uint16
		pad                    uint32
	}{action: 0 /* get */, share: 255 /* any */, flags: 1 /* create */, expires: 60, linger: 60}
	request.addr[15] = 1
	const ipv6FlowLabelMgr = 32
	_, _, errno := syscall.Syscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_IPV6, ipv6FlowLabelMgr, uintptr(unsafe.Pointer(&request)), unsafe.Sizeof(request), 0)
	if errno != 0 {
		return fmt.Errorf("lease a flow label: %w", errno)
	}
	return nil
}
