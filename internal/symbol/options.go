package symbol

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// defaultDebugDir is where distributions put debug information that was split
// off.
const defaultDebugDir = "/usr/lib/debug"

// defaultTimeout bounds the time for debug information from the network.
const defaultTimeout = 30 * time.Second

// Options say where a Symbolizer looks for debug information that is not in
// the mapped file itself. It looks in this order:
//
//	DIR/.build-id/xx/yyyy.debug           in the target's root, then in the host's
//	the file of .gnu_debuglink            the same, beside the module, in .debug
//	                                      beside it, and under DIR
//	URL/buildid/ID/debuginfo              on each server
//	.gnu_debugdata                        in the module, for symbols alone
type Options struct {
	// Root opens a file by its path in the root directory of a traced process. It
	// must not block, and not leave that root by way of a link. Nil means that
	// targets have the host's root.
	Root func(path string) (*os.File, error)
	// Dirs are the directories DIR; nil means /usr/lib/debug.
	Dirs []string
	// Servers are the URLs of debuginfod servers; none means that nothing is
	// downloaded.
	Servers []string
	// Cache is the directory that holds what was downloaded. Without one it is
	// held in a temporary file for as long as the Symbolizer lives.
	Cache string
	// Timeout bounds the time for one download, and that for all of them together;
	// 0 means 30 seconds.
	Timeout time.Duration
	// Progress is called with a line of text before a download; it may be nil.
	Progress func(string)
}

// Environment sets Servers, Cache and Timeout of o from the variables that
// debuginfod's own client knows, and returns the result: DEBUGINFOD_URLS,
// DEBUGINFOD_CACHE_PATH, else $XDG_CACHE_HOME/mmtrace/debuginfod, else
// $HOME/.cache/mmtrace/debuginfod, and DEBUGINFOD_TIMEOUT in seconds.
func (o Options) Environment(getenv func(string) string) Options {
	o.Servers = strings.Fields(getenv("DEBUGINFOD_URLS"))
	if n, err := strconv.Atoi(getenv("DEBUGINFOD_TIMEOUT")); err == nil && n > 0 && n < 1<<20 {
		o.Timeout = time.Duration(n) * time.Second
	}
	switch cache, xdg, home := getenv("DEBUGINFOD_CACHE_PATH"), getenv("XDG_CACHE_HOME"), getenv("HOME"); {
	case cache != "":
		o.Cache = cache
	case filepath.IsAbs(xdg):
		o.Cache = filepath.Join(xdg, "mmtrace", "debuginfod")
	case filepath.IsAbs(home):
		o.Cache = filepath.Join(home, ".cache", "mmtrace", "debuginfod")
	}
	return o
}

// dirs returns the directories of debug files.
func (o *Options) dirs() []string {
	if o.Dirs == nil {
		return []string{defaultDebugDir}
	}
	return o.Dirs
}

// timeout returns the time limit of downloads.
func (o *Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return defaultTimeout
}

// progress reports text.
func (o *Options) progress(text string) {
	if o.Progress != nil {
		o.Progress(text)
	}
}
