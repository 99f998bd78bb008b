package symbol

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// Limits on what a Symbolizer holds.
const (
	maxOpen    = 512
	maxModules = 4096
	maxImages  = 16
	maxVDSO    = 1 << 20
)

// errRegular means that a mapped file is a device or the like.
var errRegular = errors.New("not a regular file")

// A Symbolizer holds every mapped file once. Its methods may be called
// concurrently.
type Symbolizer struct {
	mu      sync.Mutex
	files   map[event.FileID]*Module
	regions map[regionKey]*Module
	order   []event.FileID // the oldest first
	images  map[string]*Module
	open    int
	caches  map[cacheKey]*frameCache
	touched []*Module // those that frames were asked of
	// limit is the number of files that stay open.
	limit int

	opts   Options
	debug  map[string]func() (*debugFile, error) // by build ID
	opened []*debugFile

	web    sync.Mutex // held while something is downloaded
	waited time.Duration
}

// New returns an empty Symbolizer that finds debug files on this machine alone.
func New() *Symbolizer { return NewWith(Options{}) }

// NewWith returns an empty Symbolizer.
func NewWith(o Options) *Symbolizer {
	return &Symbolizer{
		opts:    o,
		caches:  map[cacheKey]*frameCache{},
		debug:   map[string]func() (*debugFile, error){},
		files:   map[event.FileID]*Module{},
		regions: map[regionKey]*Module{},
		images:  map[string]*Module{},
		limit:   maxOpen,
	}
}

// Module returns the module of the file f, which it takes over: it is closed
// now if the file is known already or cannot be used, else in Close or when
// the module has been read. Two files are the same if device, inode, size and
// time of the last change are; the first one's path stays. path is what frames
// show.
//
// It never fails: of a file that cannot be used comes a module without names,
// which has the reason in Err.
//
// A module keeps its file open, so that it can be read after it was deleted.
// When 512 are open, a further one is read at once and closed. Of more than
// 4,096 modules the oldest are forgotten; who still uses one may go on.
func (s *Symbolizer) Module(path string, f *os.File) *Module {
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errRegular
	}
	if err != nil {
		_ = f.Close()
		return brokenModule(path, err)
	}
	dev, inode, ok := fileID(fi)
	if !ok {
		return s.add(path, f, fi, nil)
	}
	return s.add(path, f, fi, &event.FileID{Dev: dev, Inode: inode, Size: uint64(fi.Size()), Modified: fi.ModTime().UnixNano()})
}

// add returns the module that has the key, or a new one. Without a key it is
// always a new one.
func (s *Symbolizer) add(path string, f *os.File, fi os.FileInfo, key *event.FileID) *Module {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key != nil {
		if m := s.files[*key]; m != nil {
			_ = f.Close()
			return m
		}
	}
	m := newModule(path, f, fi.Size())
	m.s, m.c = s, f
	if s.open >= s.limit || key == nil {
		m.detach()
		m.c = nil
	} else {
		s.open++
	}
	if key != nil {
		s.remember(*key, m)
	}
	return m
}

// remember enters m and forgets the oldest module if there are too many. The
// file of a forgotten one is closed when nobody uses the module any more.
func (s *Symbolizer) remember(key event.FileID, m *Module) {
	if len(s.order) >= maxModules {
		old := s.files[s.order[0]]
		delete(s.files, s.order[0])
		s.order = s.order[1:]
		for k, o := range s.regions {
			if o == old {
				delete(s.regions, k)
			}
		}
		if old.c != nil {
			s.open--
		}
	}
	s.files[key] = m
	s.order = append(s.order, key)
}

// region returns the module that a region with the key was mapped from, or
// nil. Device and inode name a file as long as it is open here; a module whose
// file is closed is never returned, for its inode may be another file's now.
func (s *Symbolizer) region(k regionKey) *Module {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.regions[k]
}

// bind remembers that regions with the key are mapped from m.
func (s *Symbolizer) bind(k regionKey, m *Module) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.c != nil {
		s.regions[k] = m
	}
}

// Held returns the module of a file, which is what Module was given; nil if it was not
// or was forgotten. Where stat and /proc/PID/maps differ about the device, Dev is
// stat's.
func (s *Symbolizer) Held(file event.FileID) *Module {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[file]
}

// vdso returns the module of a vDSO image, or nil if it is too large. Equal
// images share a module.
func (s *Symbolizer) vdso(image []byte) *Module {
	if len(image) == 0 || len(image) > maxVDSO {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.images[string(image)]
	if m == nil {
		image = bytes.Clone(image)
		m = newModule(vdsoPath, bytes.NewReader(image), int64(len(image)))
		if len(s.images) < maxImages {
			s.images[string(image)] = m
		}
	}
	return m
}

// Close closes all files. Modules that were not read before have no names
// from then on.
func (s *Symbolizer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, m := range s.files {
		errs = append(errs, m.close())
		m.c = nil
	}
	for _, d := range s.opened {
		errs = append(errs, d.close())
	}
	clear(s.files)
	clear(s.regions)
	s.opened = nil
	s.order, s.open = nil, 0
	return errors.Join(errs...)
}

// touch remembers that frames were asked of m.
func (s *Symbolizer) touch(m *Module) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.touched) < maxModules {
		s.touched = append(s.touched, m)
	}
}
