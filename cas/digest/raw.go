package digest

import "encoding/hex"

// Raw returns the 32 bytes of d's hash. It fails exactly if Validate does.
func (d Digest) Raw() ([32]byte, error) {
	var raw [32]byte
	if len(d.Hash) != 2*len(raw) || d.Size < 0 {
		return raw, d.Validate()
	}
	for i := range raw {
		hi, lo := nibbles[d.Hash[2*i]], nibbles[d.Hash[2*i+1]]
		if hi|lo > 0xf {
			return raw, d.Validate()
		}
		raw[i] = hi<<4 | lo
	}
	return raw, nil
}

// FromRaw is the inverse of Raw.
func FromRaw(raw [32]byte, size int64) Digest {
	return Digest{Hash: hex.EncodeToString(raw[:]), Size: size}
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
