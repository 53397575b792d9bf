package digest

// Raw returns the 32 bytes of d's hash. It fails exactly if Validate does.
func (d Digest) Raw() (raw [32]byte, err error) {
	err = d.RawTo(&raw)
	return raw, err
}

// RawTo is Raw, but writes to where the bytes are wanted: of ten thousand hashes in
// a message, moving what was just written byte by byte took as long as decoding it.
func (d Digest) RawTo(raw *[32]byte) error {
	if !d.decode(raw) || d.Size < 0 {
		return d.Validate()
	}
	return nil
}

func (d Digest) decode(raw *[32]byte) bool {
	if len(d.Hash) != 2*len(raw) {
		return false
	}
	bad := byte(0)
	for i := range raw {
		hi, lo := nibbles[d.Hash[2*i]], nibbles[d.Hash[2*i+1]]
		bad |= hi | lo
		raw[i] = hi<<4 | lo
	}
	return bad <= 0xf
}

// nibbles holds the value of each lower-case hex digit, 0xff for other bytes.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()
