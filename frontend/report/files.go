package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protojson"

	pb "github.com/kvfarm/kvfarm/proto/kvfarm/v1"
)

// JSON is the report's JSON form, with the field names of report.proto. The
// encoder of protobuf varies its white space on purpose; here the same report
// is the same bytes.
func JSON(r *pb.Report) ([]byte, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", " "); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Read reads a report.json.
func Read(file string) (*pb.Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	var r pb.Report
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("read report %s: %w", file, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("read report %s: version %d, want %d", file, r.Version, Version)
	}
	return &r, nil
}

// Names of files in a report's folder.
const (
	File      = "report.json"
	TextFile  = "report.txt"
	Previous  = "previous.json" // what File was before
	HTMLFile  = "report.html"
	sarifFile = "report.sarif"
	junitFile = "junit.xml"
)

// Write puts the report, in each of its forms, into dir, which it makes.
func Write(dir string, r *pb.Report) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	files, err := forms(r, dir)
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(dir, File), filepath.Join(dir, Previous))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the previous report: %w", err)
	}
	for name, b := range files {
		if err := ReplaceFile(filepath.Join(dir, name), b); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

// forms is the report as a file each for programs, people, code review and CI.
func forms(r *pb.Report, dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, encode := range map[string]func(*pb.Report, string) ([]byte, error){
		File: func(r *pb.Report, _ string) ([]byte, error) { return JSON(r) }, sarifFile: SARIF, junitFile: JUnit, HTMLFile: HTML,
	} {
		b, err := encode(r, dir)
		if err != nil {
			return nil, err
		}
		files[name] = b
	}
	var text bytes.Buffer
	Text(&text, r, dir)
	files[TextFile] = text.Bytes()
	return files, nil
}

// ReplaceFile writes aside and renames: a reader, or a full disk, never leaves
// half a report.
func ReplaceFile(name string, b []byte) error {
	tmp := name + ".new"
	if err := os.WriteFile(tmp, b, 0o666); err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Rename(tmp, name)
}
