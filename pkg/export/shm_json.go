package export

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"time"

	"github.com/mmtrace/mmtrace/pkg/shm"
)

// ShmSchemaName is the value of the member "schema" of what ShmJSON writes. Within
// v1 members are only added.
const ShmSchemaName = "mmtrace.shm/v1"

//go:embed schema/shm.v1.json
var shmSchema []byte

// ShmSchema returns the JSON Schema (draft 2020-12) of what ShmJSON writes. The
// caller owns the bytes.
func ShmSchema() []byte { return bytes.Clone(shmSchema) }

// ShmJSON writes l as one indented object for programs, with everything that is
// listed, in the manner of JSON. The error is w's.
func ShmJSON(w io.Writer, l *shm.Listing, o ShmOptions) error {
	return writeJSON(w, "listing", jsonShmOf(l, &o))
}

type jsonShm struct {
	Schema string                `json:"schema"`
	Tool   jsonTool              `json:"tool"`
	Time   string                `json:"time"`
	Unused []jsonShmItem         `json:"unused"`
	Held   []jsonShmItem         `json:"held"`
	InUse  map[string]jsonShmSum `json:"in_use"`
	Totals jsonShmTotals         `json:"totals"`
	Seen   jsonShmSeen           `json:"seen"`
}

type jsonShmTotals struct {
	UnusedBytes jsonNumber `json:"unused_bytes"`
	HeldBytes   jsonNumber `json:"held_bytes"`
	Empty       jsonNumber `json:"empty_count"`
}

type jsonShmSum struct {
	Count    jsonNumber `json:"count"`
	Bytes    jsonNumber `json:"bytes"`
	Attached jsonNumber `json:"attachments"`
	Unknown  jsonNumber `json:"size_unknown_count"`
}

type jsonShmSeen struct {
	All        bool       `json:"all"`
	Processes  jsonNumber `json:"processes"`
	Denied     jsonNumber `json:"denied"`
	OtherIPC   jsonNumber `json:"other_ipc_namespace"`
	OtherShm   jsonNumber `json:"other_dev_shm"`
	OwnPIDs    bool       `json:"own_pid_namespace"`
	Hidden     bool       `json:"hidepid"`
	Unfinished bool       `json:"unfinished"`
	Errors     []string   `json:"errors"`
}

// A jsonShmItem has the members of every kind; those that a kind has no use for are
// empty.
type jsonShmItem struct {
	Kind     string          `json:"kind"`
	Path     string          `json:"path"`
	Inode    jsonNumber      `json:"inode"`
	ID       int32           `json:"id"`
	Key      jsonAddr        `json:"key"`
	Bytes    jsonNumber      `json:"bytes"`
	Size     jsonNumber      `json:"size_bytes"`
	Unknown  bool            `json:"size_unknown"`
	Swapped  jsonNumber      `json:"swapped_bytes"`
	UID      jsonNumber      `json:"uid"`
	Owner    string          `json:"owner"`
	Mode     string          `json:"mode"`
	Created  string          `json:"created"`
	Changed  string          `json:"changed"`
	Attached jsonNumber      `json:"attachments"`
	Removed  bool            `json:"marked_for_removal"`
	Detached string          `json:"last_detached"`
	Maker    jsonShmMaker    `json:"creator"`
	Holders  []jsonShmHolder `json:"holders"`
	Next     string          `json:"next"`
}

type jsonShmMaker struct {
	PID   jsonNumber `json:"pid"`
	Comm  string     `json:"comm"`
	Alive bool       `json:"alive"`
}

type jsonShmHolder struct {
	PID         jsonNumber `json:"pid"`
	Comm        string     `json:"comm"`
	Mappings    jsonNumber `json:"mappings"`
	Descriptors jsonNumber `json:"descriptors"`
	Descriptor  jsonNumber `json:"descriptor"`
	Start       jsonAddr   `json:"start"`
	End         jsonAddr   `json:"end"`
}

func jsonShmOf(l *shm.Listing, o *ShmOptions) *jsonShm {
	s := &l.Seen
	j := &jsonShm{
		Schema: ShmSchemaName, Tool: jsonTool{valid(o.Tool.Name), valid(o.Tool.Version), valid(o.Tool.Commit)},
		Time: secondsStamp(l.Time), Unused: each(l.Unused, jsonShmItemOf), Held: each(l.Pinned, jsonShmItemOf),
		InUse:  make(map[string]jsonShmSum),
		Totals: jsonShmTotals{jsonNumber(shm.Total(l.Unused).Bytes), jsonNumber(shm.Total(l.Pinned).Bytes), jsonNumber(l.Empty)},
		Seen: jsonShmSeen{s.All() && len(s.Errors) == 0, jsonNumber(s.Processes), jsonNumber(s.Denied), jsonNumber(s.OtherIPC),
			jsonNumber(s.OtherShm), s.OwnPIDs, s.Hidden, s.Unfinished, texts(s.Errors)},
	}
	for k, n := range l.InUse {
		j.InUse[string(k)] = jsonShmSum{jsonNumber(n.Count), jsonNumber(n.Bytes), jsonNumber(n.Attached), jsonNumber(n.Unknown)}
	}
	return j
}

func jsonShmItemOf(it *shm.Item) jsonShmItem {
	j := jsonShmItem{
		Kind: string(it.Kind), Bytes: jsonNumber(it.Bytes()), Size: jsonNumber(it.Size()), UID: jsonNumber(it.UID()),
		Owner: valid(it.Owner), Mode: fmt.Sprintf("%04o", it.Mode()), Holders: each(it.Holders(), jsonShmHolderOf),
		Next: nextShm(it),
	}
	if f := it.File; f != nil {
		j.Path, j.Inode, j.Unknown = valid(f.Path), jsonNumber(f.Inode), f.Unknown
		j.Created, j.Changed = secondsStamp(f.Created), secondsStamp(f.Changed)
		return j
	}
	s := it.Segment
	j.ID, j.Key, j.Swapped = s.ID, jsonAddr(s.Key), jsonNumber(s.Swapped)
	j.Attached, j.Removed, j.Detached, j.Changed = jsonNumber(s.Attached), s.Removed, secondsStamp(s.DetachedAt), secondsStamp(s.ChangedAt)
	j.Maker = jsonShmMaker{jsonNumber(s.Maker.PID), valid(s.Maker.Comm), s.Maker.Alive}
	return j
}

func jsonShmHolderOf(h *shm.Holder) jsonShmHolder {
	return jsonShmHolder{jsonNumber(h.PID), valid(h.Comm), jsonNumber(h.Mappings), jsonNumber(h.Descriptors),
		jsonNumber(h.Descriptor), jsonAddr(h.Start), jsonAddr(h.End)}
}

// secondsStamp writes seconds since 1970 as RFC 3339, "" for none.
func secondsStamp(unix int64) string {
	if unix <= 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}
