package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"runtime"
)

// exits is machine code that calls exit(0), by architecture. What is measured is
// the farm, so the program is the least that Linux will run: a dynamic linker or
// a language's runtime would be most of an action's time.
var exits = map[string]struct {
	machine elf.Machine
	code    []byte
}{
	"amd64": {elf.EM_X86_64, []byte{
		0x31, 0xff, // xor edi, edi
		0x6a, 60, 0x58, // push 60; pop rax
		0x0f, 0x05, // syscall
	}},
	"arm64": {elf.EM_AARCH64, []byte{
		0x00, 0x00, 0x80, 0xd2, // mov x0, 0
		0xa8, 0x0b, 0x80, 0xd2, // mov x8, 93
		0x01, 0x00, 0x00, 0xd4, // svc 0
	}},
}

// nothing returns a static program that exits with 0.
func nothing() ([]byte, error) {
	exit, ok := exits[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no machine code that exits is known for %s: add it to exits", runtime.GOARCH)
	}
	const base, heads = 0x400000, 64 + 56
	size := uint64(heads + len(exit.code))
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(exit.machine), Version: uint32(elf.EV_CURRENT),
		Entry: base + heads, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	segment := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: 0x1000}
	var b bytes.Buffer
	for _, part := range []any{head, segment, exit.code} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
