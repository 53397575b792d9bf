package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/kvfarm/kvfarm/executor/sandbox/internal/stage"
)

// aside is a descriptor that no standard one of a new process takes the place of.
const aside = 64

// openInterpreter returns a file in memory that is the first process of a
// sandbox, or nil where there is none or files in memory are not to be
// executed: there this program takes its place. Nobody can write to it.
func openInterpreter() *os.File {
	text := stage.Text()
	if text == nil {
		return nil
	}
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("kvfarm-sandbox", flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 all are executable
		fd, err = unix.MemfdCreate("kvfarm-sandbox", flags)
	}
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	image := executable(text)
	if n, err := unix.Write(fd, image); err != nil || n != len(image) {
		return nil
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil
	}
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, aside)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(moved), fmt.Sprintf("/proc/self/fd/%d", moved))
}

// executable makes a file of instructions: a header, one program header, and
// the text, which is where it starts.
func executable(text []byte) []byte {
	const (
		address    = 0x400000
		fileHeader = 64
		progHeader = 56
		start      = fileHeader + progHeader
	)
	size := uint64(start + len(text))
	f := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 15: 0} // of 64 bits, little-endian
	le := binary.LittleEndian
	f = le.AppendUint16(f, 2)  // ET_EXEC
	f = le.AppendUint16(f, 62) // EM_X86_64
	f = le.AppendUint32(f, 1)
	f = le.AppendUint64(f, address+start)
	f = le.AppendUint64(f, fileHeader) // where the program header is
	f = le.AppendUint64(f, 0)          // no sections
	f = le.AppendUint32(f, 0)
	for _, v := range []uint16{fileHeader, progHeader, 1, 0, 0, 0} {
		f = le.AppendUint16(f, v)
	}
	f = le.AppendUint32(f, 1) // PT_LOAD
	f = le.AppendUint32(f, 5) // to be read and executed
	for _, v := range []uint64{0, address, address, size, size, 0x1000} {
		f = le.AppendUint64(f, v)
	}
	return append(f, text...)
}
