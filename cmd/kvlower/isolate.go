package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/kvfarm/kvfarm/cmd/kvlower/bitcode"
)

// readFlag makes this program read bitcode and write the stream to its standard
// output, and nothing else.
const readFlag = "--read-bitcode-to-stdout"

// readIsolated reads bitcode in a process of its own: LLVM ends the process, or
// crashes, on some inputs that are broken.
func readIsolated(files, types []string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.Command(self, slices.Concat([]string{readFlag, strconv.Itoa(len(types))}, types, files)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stream, err := cmd.Output()
	if err != nil {
		return nil, readError(slices.Concat(types, files), err, stderr.String())
	}
	return stream, nil
}

// readError says why the reading process failed: by its own last words, or, if
// it crashed, by the first line of the runtime's report.
func readError(files []string, err error, stderr string) error {
	line, _, _ := strings.Cut(stderr, "\n")
	if i := strings.LastIndex("\n"+stderr, "\nkvlower: "); i >= 0 {
		return errors.New(brief(stderr[i+len("kvlower: "):]))
	}
	names := strings.Join(files, " ")
	var exit *exec.ExitError
	switch {
	case line != "":
		return fmt.Errorf("read %s: LLVM crashed: %s", names, brief(line))
	case errors.As(err, &exit) && !exit.Exited():
		return fmt.Errorf("read %s: LLVM was ended by the system (%w): it may take %d seconds of processor time and %d bytes of memory",
			names, err, maxReadSeconds, readBytes(files))
	}
	return fmt.Errorf("read %s: %w", names, err)
}

// brief is the beginning of what LLVM says: of a broken module it tells every fault.
func brief(text string) string {
	const most = 1500
	text = strings.TrimSpace(text)
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + " ..."
	}
	return text
}

// What reading may take: broken bitcode can say that it holds anything. The
// largest module of a kernel takes less than half of what it may.
const (
	maxReadBytes    = 16 << 30 // of address space
	leastReadBytes  = 4 << 30  // of it: the programs' own and Go's reserve take half
	readBytesByByte = 256      // of it, for each byte of bitcode
	maxReadSeconds  = 600      // of processor time
)

// readBytes is how much address space reading files may take. One that cannot be read is
// none: that is told when it is read.
func readBytes(files []string) uint64 {
	all := uint64(leastReadBytes)
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			all += readBytesByByte * uint64(min(info.Size(), maxReadBytes))
		}
	}
	return min(all, maxReadBytes)
}

func limitReader(files []string) error {
	for resource, most := range map[int]uint64{syscall.RLIMIT_AS: readBytes(files), syscall.RLIMIT_CPU: maxReadSeconds} {
		var l syscall.Rlimit
		if err := syscall.Getrlimit(resource, &l); err != nil {
			return fmt.Errorf("limit the reader: %w", err)
		}
		l.Cur = min(most, l.Max)
		if err := syscall.Setrlimit(resource, &l); err != nil {
			return fmt.Errorf("limit the reader: %w", err)
		}
	}
	return nil
}

// readMain is what the process with readFlag does: args are the number of files with
// types, these, and the files to link.
func readMain(args []string) error {
	if len(args) == 0 {
		return errors.New("no bitcode files")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 || n+1 >= len(args) {
		return errors.New("no bitcode files")
	}
	if err := limitReader(args[1:]); err != nil {
		return err
	}
	stream, err := bitcode.Read(args[1+n:], args[1:1+n])
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(stream)
	return err
}
