package export

import "github.com/mmtrace/mmtrace/pkg/report"

// A jsonSuppressed is a suppression and what it matched.
type jsonSuppressed struct {
	Text     string     `json:"suppression"`
	File     string     `json:"file"`
	Line     jsonNumber `json:"line"`
	Paths    jsonNumber `json:"paths"`
	Bytes    jsonNumber `json:"bytes"`
	Mappings jsonNumber `json:"count"`
}

func jsonSuppressedOf(s *report.Suppressed) jsonSuppressed {
	return jsonSuppressed{valid(s.Text), valid(s.File), natural(int64(s.Line)), jsonNumber(s.Paths),
		jsonNumber(s.Bytes), jsonNumber(s.Mappings)}
}
