package export

import (
	"encoding/json"
	"testing"

	"github.com/mmtrace/mmtrace/pkg/report"
)

// What JSON does not list of the released paths is in their sum.
func TestJSONReleasedIsBounded(t *testing.T) {
	r := quiet()
	r.Unlisted = report.Unlisted{Stacks: 3, MappedBytes: 5, MappedCount: 4, UnmappedBytes: 2}
	for range maxJSONReleased + 2 {
		r.Released = append(r.Released, report.Path{MappedBytes: 100, MappedCount: 10, UnmappedBytes: 50})
	}
	var got struct {
		Released []json.RawMessage `json:"released_paths"`
		Unlisted struct {
			Paths         int `json:"paths"`
			MappedBytes   int `json:"mapped_bytes"`
			MappedCount   int `json:"mapped_count"`
			UnmappedBytes int `json:"unmapped_bytes"`
		} `json:"released_unlisted"`
	}
	if err := json.Unmarshal([]byte(output(t, "x.json", r, Options{})), &got); err != nil {
		t.Fatal(err)
	}
	if u := got.Unlisted; len(got.Released) != maxJSONReleased || u.Paths != 5 || u.MappedBytes != 205 ||
		u.MappedCount != 24 || u.UnmappedBytes != 102 {
		t.Errorf("%d listed, rest %+v", len(got.Released), u)
	}
}
