//go:build !unix

package symbol

import "os"

// fileID knows no numbers that name a file: no two files are taken as one.
func fileID(os.FileInfo) (dev, inode uint64, ok bool) { return 0, 0, false }

// openNonblock is not needed where no FIFO has a path.
const openNonblock = 0
