package digest

// Raw returns the 32 bytes of d's hash. It fails exactly if Validate does.
func (d Digest) Raw() ([32]byte, error) {
	raw, ok := d.raw()
	if !ok || d.Size < 0 {
		return raw, d.Validate()
	}
	return raw, nil
}

// raw decodes the hash, of which a message may have ten thousand.
func (d Digest) raw() (raw [32]byte, ok bool) {
	if len(d.Hash) != 2*len(raw) {
		return raw, false
	}
	bad := byte(0)
	for i := range raw {
		hi, lo := nibbles[d.Hash[2*i]], nibbles[d.Hash[2*i+1]]
		bad |= hi | lo
		raw[i] = hi<<4 | lo
	}
	return raw, bad <= 0xf
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
