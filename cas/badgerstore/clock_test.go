package badgerstore

import (
	"testing"
	"time"
	"unsafe"
)

// TestSteady has the machine's clock be set back: it says what it said an hour
// ago.
func TestSteady(t *testing.T) {
	base := time.Now()
	monotonic := &(*[3]int64)(unsafe.Pointer(&base))[1] // of a time's three words the second has that clock's reading
	*monotonic -= int64(time.Hour)
	const most = 10 * time.Minute // that this test takes
	if ago := time.Since(base); ago < time.Hour || ago > time.Hour+most || time.Since(base.Round(0)) > most {
		t.Fatalf("a time has another form: %v ago", ago)
	}
	if ahead := steady(base)().Round(0).Sub(time.Now().Round(0)); ahead < time.Hour-most || ahead > time.Hour+most {
		t.Errorf("an hour after the start it is %v later than the clock says, which was set back by that hour", ahead)
	}
}
