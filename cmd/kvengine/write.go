package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// write makes a file whole or not at all. What stands there and is no plain file (a link, a pipe, a terminal) stays what
// it is and is written to: to rename over /dev/stdout, root would take it from the whole machine.
func write(name string, encode func(io.Writer) error) error {
	if at, err := os.Lstat(name); err == nil && !at.Mode().IsRegular() {
		return resultError(writeTo(name, os.O_WRONLY|os.O_TRUNC, encode))
	}
	tmp := name + ".part"
	err := writeTo(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, encode)
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return resultError(err)
}

func writeTo(name string, flag int, encode func(io.Writer) error) error {
	f, err := os.OpenFile(name, flag, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(encode(f), f.Close())
}

func resultError(err error) error {
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
