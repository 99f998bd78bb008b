// Packaging makes packages of one built mmtrace: an archive, a deb, an rpm and a
// container image. scripts/release runs it.
//
//	packaging -version v1.2.3 -arch amd64 -from DIR -to DIR
//
// The directory -from holds the binary and the texts that files.go names. What
// is written depends on nothing else: times in packages are SOURCE_DATE_EPOCH,
// seconds since 1970.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A build is what there is to pack.
type build struct {
	version version
	commit  string
	arch    string    // as Go names it
	time    time.Time // of the commit, for all that packages note a time of
	from    string    // directory of the files

	maintainer string // of the packages, NAME <ADDRESS>
}

func main() {
	var b build
	flag.Func("version", "as in v1.2.3", func(s string) (err error) {
		b.version, err = parseVersion(s)
		return err
	})
	flag.StringVar(&b.commit, "commit", "", "commit that was built")
	flag.StringVar(&b.arch, "arch", "", "GOARCH of the binary")
	flag.StringVar(&b.from, "from", "", "directory with the files")
	flag.StringVar(&b.maintainer, "maintainer", "the mmtrace authors <mmtrace@localhost>", "who answers for the packages")
	to := flag.String("to", "", "directory for the packages")
	flag.Parse()
	err := b.check()
	if err == nil {
		err = b.packAll(*to)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "packaging: %v\n", err)
		os.Exit(1)
	}
}

var errNoEpoch = errors.New("SOURCE_DATE_EPOCH is not set")

// check completes b from the environment and tells what is missing.
func (b *build) check() error {
	epoch, ok := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !ok {
		return errNoEpoch
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("reading SOURCE_DATE_EPOCH: %w", err)
	}
	b.time = time.Unix(seconds, 0).UTC()
	if b.version.release == "" || b.arch == "" || b.from == "" {
		return errors.New("-version, -arch and -from are needed")
	}
	return nil
}

// packAll writes every kind of package to the directory.
func (b *build) packAll(to string) error {
	files, err := b.files()
	if err != nil {
		return err
	}
	for _, pack := range []func([]file) (name string, content []byte, err error){b.archive, b.deb, b.rpm, b.image} {
		name, content, err := pack(files)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
