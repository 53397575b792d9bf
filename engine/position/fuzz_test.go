package position_test

import (
	"bytes"
	"testing"

	"github.com/kvfarm/kvfarm/engine/position"
)

// FuzzDecode: an error or a map whose every place can be looked up, and that is
// what it was after it was written and read again.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"", "{}", "{\"version\":2}\n", "{\"version\":9}\n", "{\"version\":2,\"sites\":[{\"func\":-1,\"inst\":-1,\"loc\":-2}]}\n\x00\x00\x00\x00",
		"{\"version\":2}\n\x01\x01a\x01\x01f\x02\x00\x01\x01\x00\x00\x00\x02\x01\x00\x01\x02\x00\x00\x00\x00\x03\x02",
		"{\"version\":2}\n\x01\x01a\x01\x00\x01\x00\x01\x01\x00\x02\x00",
		"{\"version\":2,\"params\":[\"n\",\"\"],\"locs\":[{\"file\":\"a.rs\",\"line\":1,\"col\":2}]}\n\x00\x00\x00\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := position.Decode(text)
		if err != nil {
			return
		}
		for fn := range 3 {
			for inst := range 5 {
				m.At(fn, inst)
			}
		}
		m.Input("arg0.data[3]")
		var b, c bytes.Buffer
		if err := m.Encode(&b); err != nil {
			t.Fatal(err)
		}
		n, err := position.Decode(b.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
		if err := n.Encode(&c); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), c.Bytes()) {
			t.Errorf("%s, then %s", b.Bytes(), c.Bytes())
		}
	})
}

// FuzzDecodeIndex: an error or an index, never a panic.
func FuzzDecodeIndex(f *testing.F) {
	f.Add([]byte(`{"version":2,"crate":"k","roots":[{"name":"f","symbol":"f","kind":"auto","slice":"0.kvs","map":"0.map","sites":3,"owns":[0]}]}`))
	f.Add([]byte(`{"version":2,"roots":[{"sites":-1,"owns":[-1]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := position.DecodeIndex(text)
		if (x == nil) == (err == nil) {
			t.Errorf("%v, %v", x, err)
		}
	})
}
