package export

import "github.com/mmtrace/mmtrace/pkg/report"

type jsonFile struct {
	PID         jsonNumber   `json:"pid"`
	Comm        string       `json:"comm"`
	Kind        string       `json:"kind"`
	Path        string       `json:"path"`
	ID          jsonNumber   `json:"id"`
	Deleted     bool         `json:"deleted"`
	Removed     bool         `json:"marked_for_removal"`
	Known       bool         `json:"size_known"`
	Size        jsonNumber   `json:"size_bytes"`
	Allocated   jsonNumber   `json:"allocated_bytes"`
	Descriptors jsonNumber   `json:"descriptors"`
	FDs         []jsonNumber `json:"lowest_descriptors"`
	Unread      bool         `json:"descriptors_unread"`
	Bytes       jsonNumber   `json:"bytes"`
	Count       jsonNumber   `json:"count"`
	Other       jsonNumber   `json:"old_bytes"`
	Owner       string       `json:"owner"`
	Frames      []jsonFrame  `json:"frames"`
	Openers     []jsonOpener `json:"openers"`
}

type jsonOpener struct {
	Descriptors jsonNumber  `json:"descriptors"`
	Mappings    jsonNumber  `json:"mappings"`
	Frames      []jsonFrame `json:"frames"`
}

func jsonOpenerOf(o *report.Opener) jsonOpener {
	return jsonOpener{Descriptors: jsonNumber(o.Descriptors), Mappings: jsonNumber(o.Mappings), Frames: each(o.Frames, jsonFrameOf)}
}

func jsonFileOf(f *report.File) jsonFile {
	return jsonFile{
		PID: jsonNumber(f.PID), Comm: valid(f.Comm), Kind: valid(string(f.Kind)), Path: valid(f.Path), ID: jsonNumber(f.ID), Deleted: f.Deleted, Removed: f.Removed,
		Known: f.Known, Size: jsonNumber(f.Size), Allocated: jsonNumber(f.Allocated), Descriptors: jsonNumber(f.Descriptors),
		FDs:    each(f.FDs, func(n *uint32) jsonNumber { return jsonNumber(*n) }),
		Unread: f.Unread, Bytes: jsonNumber(f.Bytes), Count: jsonNumber(f.Count), Other: jsonNumber(f.Other),
		Owner: valid(f.Owner), Frames: each(f.Frames, jsonFrameOf), Openers: each(f.Openers, jsonOpenerOf),
	}
}

type jsonLeft struct {
	Kind   string      `json:"kind"`
	ID     int32       `json:"id"`
	Path   string      `json:"path"`
	Inode  jsonNumber  `json:"inode"`
	Bytes  jsonNumber  `json:"bytes"`
	Size   jsonNumber  `json:"size_bytes"`
	PID    jsonNumber  `json:"pid"`
	Comm   string      `json:"comm"`
	Frames []jsonFrame `json:"frames"`
	Next   string      `json:"next"`
}

func jsonLeftOf(l *report.Left) jsonLeft {
	return jsonLeft{Kind: valid(string(l.Kind)), ID: l.ID, Path: valid(l.Path), Inode: jsonNumber(l.Inode), Bytes: jsonNumber(l.Bytes), Size: jsonNumber(l.Size),
		PID: jsonNumber(l.PID), Comm: valid(l.Comm), Frames: each(l.Frames, jsonFrameOf), Next: removal(l)}
}
