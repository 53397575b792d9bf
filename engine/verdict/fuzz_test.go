package verdict_test

import (
	"bytes"
	"testing"

	"github.com/kvfarm/kvfarm/engine/verdict"
)

// FuzzDecode: an error or a verdict, and a verdict is what it was after it was
// written and read again.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"", "{}", `{"version":1}`, `{"version":2}`, `{"version":1,"what":1}`, `{"version":1,"stats":{"queries":1e400}}`,
		`{"version":1,"verdict":"PROVED","assumptions":["a"],"sites":[],"witnesses":[],"stats":{}}`,
		`{"version":1,"verdict":"REFUTED","sites":[{"kind":"bounds","loc":0,"func":0,"inst":7,"verdict":"REFUTED","witness":0}],
		  "witnesses":[{"inputs":[{"name":"any#0","bits":8,"value":"255"}],"site":0,"stack":[{"func":0,"inst":7}],"replayed":true}]}`,
		`{"version":1,"sites":[{"verdict":"REFUTED","witness":-1}]}`, `{"version":1,"sites":[{"witness":1}]}`, `{"version":1,"witnesses":[{"site":1}]}`,
		`{"version":1,"sites":[{"witness":-2}]}`, `{"version":1}{"version":1}`, `[[[[[[`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := verdict.Decode(text)
		if err != nil {
			return
		}
		var b, c bytes.Buffer
		if err := v.Encode(&b); err != nil {
			t.Fatal(err)
		}
		w, err := verdict.Decode(b.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
		if err := w.Encode(&c); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), c.Bytes()) {
			t.Errorf("%s, then %s", b.Bytes(), c.Bytes())
		}
	})
}
