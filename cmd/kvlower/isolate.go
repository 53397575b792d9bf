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
		return nil, readError(files, err, stderr.String())
	}
	return stream, nil
}

// readError says why the reading process failed: by its own last words, or, if
// it crashed, by the first line of the runtime's report.
func readError(files []string, err error, stderr string) error {
	line, _, _ := strings.Cut(stderr, "\n")
	if i := strings.LastIndex("\n"+stderr, "\nkvlower: "); i >= 0 {
		return errors.New(strings.TrimSpace(stderr[i+len("kvlower: "):]))
	}
	if line == "" {
		return fmt.Errorf("read %s: %w", strings.Join(files, " "), err)
	}
	return fmt.Errorf("read %s: LLVM crashed: %s", strings.Join(files, " "), line)
}

// What reading may take: broken bitcode can say that it holds anything. The
// largest module of a kernel takes a tenth of either.
const (
	maxReadBytes   = 16 << 30 // of address space
	maxReadSeconds = 600      // of processor time
)

func limitReader() error {
	for resource, most := range map[int]uint64{syscall.RLIMIT_AS: maxReadBytes, syscall.RLIMIT_CPU: maxReadSeconds} {
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
	if err := limitReader(); err != nil {
		return err
	}
	stream, err := bitcode.Read(args[1+n:], args[1:1+n])
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(stream)
	return err
}
