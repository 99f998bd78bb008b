package symbol

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// server starts a debuginfod that has one file, counts what it is asked and
// returns its URL.
func server(t testing.TB, s split, asked *atomic.Int32) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/buildid/"+s.id+"/debuginfo" {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, s.debug)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// A file is downloaded once, and then comes from the cache.
func TestDebuginfod(t *testing.T) {
	s := splitUp(t)
	var asked atomic.Int32
	var said []string
	o := Options{
		Dirs: []string{t.TempDir()}, Servers: []string{server(t, s, &asked)}, Cache: filepath.Join(t.TempDir(), "c"),
		Progress: func(text string) { said = append(said, text) },
	}
	for range 2 {
		_, m := s.with(t, o)
		if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
			t.Error(diff)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if diff := cmp.Diff([]string{"looking for debug information of " + s.bare + " at " + o.Servers[0]}, said); diff != "" {
		t.Error(diff)
	}
	o.Cache = ""
	_, m := s.with(t, o)
	if diff := cmp.Diff(complete, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
}

// The time for all downloads together is limited.
func TestDebuginfodTimeout(t *testing.T) {
	s := splitUp(t)
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ctx.Done():
		}
	}))
	defer srv.Close()
	defer cancel()
	y, m := s.with(t, Options{Dirs: []string{t.TempDir()}, Servers: []string{srv.URL, srv.URL}, Timeout: 50 * time.Millisecond})
	begin := time.Now()
	if diff := cmp.Diff(nothing, s.briefs(t, m)); diff != "" {
		t.Error(diff)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	got := y.Missing()
	if len(got) != 1 || !errors.Is(got[0].Why, context.DeadlineExceeded) || !errors.Is(got[0].Why, errTime) {
		t.Errorf("%+v", got)
	}
}

func TestDebuginfodHasNone(t *testing.T) {
	s := splitUp(t)
	var asked atomic.Int32
	url := server(t, split{id: "00", debug: s.debug}, &asked)
	y, m := s.with(t, Options{Dirs: []string{t.TempDir()}, Servers: []string{url}, Cache: t.TempDir()})
	_ = s.briefs(t, m)
	got := y.Missing()
	want := "asking " + url + ": not found: no debug information\nno symbol table"
	if len(got) != 1 || got[0].Why.Error() != want || asked.Load() != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOptionsFromEnvironment(t *testing.T) {
	env := map[string]string{"DEBUGINFOD_URLS": "https://a/ http://b", "DEBUGINFOD_TIMEOUT": "7", "HOME": "/h"}
	got := Options{Dirs: []string{"/d"}}.Environment(func(k string) string { return env[k] })
	want := Options{
		Dirs: []string{"/d"}, Servers: []string{"https://a/", "http://b"}, Timeout: 7 * time.Second,
		Cache: "/h/.cache/mmtrace/debuginfod",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	env["XDG_CACHE_HOME"] = "/x"
	if got := (Options{}).Environment(func(k string) string { return env[k] }); got.Cache != "/x/mmtrace/debuginfod" {
		t.Error(got.Cache)
	}
	env["DEBUGINFOD_CACHE_PATH"] = "/y"
	if got := (Options{}).Environment(func(k string) string { return env[k] }); got.Cache != "/y" {
		t.Error(got.Cache)
	}
}
