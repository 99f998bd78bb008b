package export

import (
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// moment returns the time d after unix (nanoseconds since 1970) in UTC. The
// clock itself is never read here.
func moment(unix int64, d event.Time) time.Time {
	return time.Unix(0, unix).Add(time.Duration(d)).UTC()
}

// rfc3339 writes a moment for programs, to the nanosecond.
func rfc3339(unix int64, d event.Time) string { return moment(unix, d).Format(time.RFC3339Nano) }

// stamp writes a moment for people: "2026-11-03 02:14:07 UTC".
func stamp(unix int64, d event.Time) string {
	return moment(unix, d).Format("2006-01-02" + nbsp + "15:04:05" + nbsp + "UTC")
}
