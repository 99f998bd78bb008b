package symbol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxDownload bounds the bytes of one debug file from a server.
const maxDownload = 4 << 30

// errTime means that the time for downloads is used up.
var errTime = errors.New("the time for downloads is used up")

// download returns the debug information of a build from the cache or from the
// first server that has it. Its build ID is checked: neither the cache nor a
// server is trusted.
func (s *Symbolizer) download(module, id string) (*debugFile, error) {
	if s.opts.Cache != "" {
		name := s.cached(id)
		if f, err := openPlain(name); err == nil {
			if d, err := s.adopt(name, f, sameBuild(id)); err == nil {
				return d, nil
			}
		}
	}
	var errs []error
	for _, server := range s.opts.Servers {
		d, err := s.fetch(server, module, id)
		if err == nil {
			return d, nil
		}
		errs = append(errs, fmt.Errorf("asking %s: %w", shown(server), err))
	}
	return nil, errors.Join(errs...)
}

// cached returns the path of a build's file in the cache, which has the layout
// of debuginfod's own client.
func (s *Symbolizer) cached(id string) string {
	return filepath.Join(s.opts.Cache, id, "debuginfo")
}

// shown returns a server's URL without a password that it may have.
func shown(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "a server"
	}
	return u.Redacted()
}

// fetch downloads the debug information of a build from one server.
func (s *Symbolizer) fetch(server, module, id string) (*debugFile, error) {
	s.web.Lock()
	defer s.web.Unlock()
	left := s.opts.timeout() - s.waited
	if left <= 0 {
		return nil, errTime
	}
	s.opts.progress(fmt.Sprintf("looking for debug information of %s at %s", module, shown(server)))
	begin := time.Now()
	defer func() { s.waited += time.Since(begin) }()
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	at := strings.TrimRight(server, "/") + "/buildid/" + id + "/debuginfo"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "mmtrace")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, plainError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w", strings.ToLower(http.StatusText(resp.StatusCode)), errNoDebug)
	}
	if resp.ContentLength > maxDownload {
		return nil, fmt.Errorf("%d bytes: %w", resp.ContentLength, errSize)
	}
	return s.save(resp.Body, id)
}

// plainError cuts from an error of net/http the method and the URL, which the
// caller names.
func plainError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// save writes what r holds to the cache, or to a file without a name, and reads
// it as the debug file of a build.
func (s *Symbolizer) save(r io.Reader, id string) (*debugFile, error) {
	dir := ""
	if s.opts.Cache != "" {
		dir = filepath.Dir(s.cached(id))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making room in the cache: %w", err)
		}
	}
	f, err := os.CreateTemp(dir, ".debuginfo-*")
	if err != nil {
		return nil, fmt.Errorf("making room in the cache: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, maxDownload+1))
	if err == nil && n > maxDownload {
		err = errSize
	}
	var d *debugFile
	if err == nil {
		d, err = s.adopt(s.cached(id), f, sameBuild(id))
	} else {
		_ = f.Close()
	}
	if err != nil || dir == "" {
		return d, errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), s.cached(id)); err != nil {
		return d, errors.Join(fmt.Errorf("keeping a debug file: %w", err), os.Remove(f.Name()))
	}
	return d, nil
}
