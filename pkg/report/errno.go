package report

import "strconv"

// Error numbers of Linux, the same on all its architectures below 35
// (include/uapi/asm-generic/errno-base.h).
const (
	ePERM  = 1
	eNOMEM = 12
	eACCES = 13
	eFAULT = 14
	eEXIST = 17
	eINVAL = 22
	eBADF  = 9
)

var errnoNames = map[int]string{
	ePERM: "EPERM", 2: "ENOENT", 4: "EINTR", 5: "EIO", eBADF: "EBADF", 11: "EAGAIN", eNOMEM: "ENOMEM",
	eACCES: "EACCES", eFAULT: "EFAULT", 16: "EBUSY", eEXIST: "EEXIST", 19: "ENODEV", eINVAL: "EINVAL",
	23: "ENFILE", 24: "EMFILE", 26: "ETXTBSY", 28: "ENOSPC", 38: "ENOSYS", 75: "EOVERFLOW", 95: "EOPNOTSUPP",
}

// errnoName returns the name of an error number, or "errno N".
func errnoName(n int) string {
	if s, ok := errnoNames[n]; ok {
		return s
	}
	return "errno " + strconv.Itoa(n)
}
