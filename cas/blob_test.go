package cas_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kvfarm/kvfarm/cas"
)

func TestOneError(t *testing.T) {
	full := fmt.Errorf("put a: %w", cas.ErrFull)
	if err := cas.OneError([]error{nil, nil}); err != nil {
		t.Errorf("no errors: %v", err)
	}
	if err := cas.OneError([]error{nil, full}); err != full {
		t.Errorf("one error: %v", err)
	}
	err := cas.OneError([]error{nil, full, errors.New("put b"), errors.New("put c")})
	if !errors.Is(err, cas.ErrFull) || !strings.HasSuffix(err.Error(), "(and 2 more blobs)") {
		t.Errorf("three errors: %v", err)
	}
}
