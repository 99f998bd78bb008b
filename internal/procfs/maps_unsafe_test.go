package procfs

import (
	"strings"
	"testing"
	"unsafe"
)

func TestParseMapsSharesPaths(t *testing.T) {
	const text = "1000-2000 r--p 0 08:01 131 /x\n2000-3000 r--p 0 08:01 131 /x\n"
	got, err := ParseMaps(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if unsafe.StringData(got[0].Path) != unsafe.StringData(got[1].Path) {
		t.Error("equal paths are two strings")
	}
}
