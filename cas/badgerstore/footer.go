package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkFooters reads the end of each of badger's tables, which says where its
// index lies. Badger believes it: of a wrong one it dies, in a goroutine of its
// own or by log.Fatal, so that nobody could tell what to do.
func checkFooters(dir string) error {
	manifest, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer manifest.Close()
	if err := checkFormat(manifest); err != nil {
		return err
	}
	m, _, err := badger.ReplayManifestFile(manifest, formatVersion, badger.DefaultOptions(dir))
	if err != nil {
		return err
	}
	for id := range m.Tables { // badger removes others: it was killed while it wrote them
		name := table.NewFilename(id, dir)
		if err := checkFooter(name); err != nil {
			return fmt.Errorf("table %s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

// checkFormat reads the format that badger's manifest begins with: four letters,
// then ours, then badger's own. Badger would say that it is damaged.
func checkFormat(manifest io.ReaderAt) error {
	var head [6]byte
	if _, err := manifest.ReadAt(head[:], 0); err != nil || string(head[:4]) != "Bdgr" {
		return nil // badger says what is wrong
	}
	if v := binary.BigEndian.Uint16(head[4:]); v != formatVersion {
		return fmt.Errorf("%w: %d, where this one reads and writes %d; run the version that wrote it, or name another folder", ErrFormat, v, formatVersion)
	}
	return nil
}

// errFooter says that a table does not end as one should.
var errFooter = errors.New("its end is damaged")

// checkFooter reads a table backwards: the length of a checksum, that, the
// length of the index, and that, of which it is.
func checkFooter(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	end := st.Size()
	encoded, err := lastPart(f, &end)
	if err != nil {
		return err
	}
	sum := &pb.Checksum{}
	if proto.Unmarshal(encoded, sum) != nil || pb.Checksum_Algorithm_name[int32(sum.Algo)] == "" {
		return errFooter
	}
	index, err := lastPart(f, &end)
	if err != nil {
		return err
	}
	if y.CalculateChecksum(index, sum.Algo) != sum.Sum {
		return errFooter
	}
	return nil
}

// lastPart reads what stands before its length, which stands before end, and
// makes end where it began.
func lastPart(f *os.File, end *int64) ([]byte, error) {
	var length [4]byte
	if *end -= 4; *end < 0 {
		return nil, errFooter
	}
	if _, err := f.ReadAt(length[:], *end); err != nil {
		return nil, err
	}
	n := int64(binary.BigEndian.Uint32(length[:]))
	if *end -= n; *end < 0 {
		return nil, errFooter
	}
	part := make([]byte, n)
	_, err := f.ReadAt(part, *end)
	return part, err
}
