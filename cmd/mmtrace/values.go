package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mmtrace/mmtrace/pkg/event"
)

// A wantError says what a flag takes. The flag and the value that it got
// instead are known only to who reports it.
type wantError struct {
	want string // "a process id"
	mean string // what the user may have meant, "" if nothing is near
}

func (e *wantError) Error() string { return "want " + e.want }

// A sizeValue is a number of bytes: 4096, 64K, 64KiB, 1.5m. All units are binary.
type sizeValue uint64

const sizeUnits = "KMGT"

func (v *sizeValue) Set(s string) error {
	bad := &wantError{want: "a size such as 64K, 10M or 4096"}
	num := strings.ToUpper(s)
	num = strings.TrimSuffix(strings.TrimSuffix(num, "B"), "I")
	if num == "" {
		return bad
	}
	shift := 0
	if i := strings.IndexByte(sizeUnits, num[len(num)-1]); i >= 0 {
		shift = 10 * (i + 1)
		num = num[:len(num)-1]
	} else if strings.HasSuffix(strings.ToUpper(s), "IB") {
		return bad
	}
	if n, err := strconv.ParseUint(num, 10, 64); err == nil && n <= math.MaxUint64>>shift {
		*v = sizeValue(n << shift)
		return nil
	}
	f, err := strconv.ParseFloat(num, 64)
	f = math.Ldexp(f, shift)
	if err != nil || strings.ContainsAny(num, "EPXN_") || !(f >= 0 && f < 1<<64) {
		return bad
	}
	*v = sizeValue(f)
	return nil
}

// String returns the size in the largest unit that divides it.
func (v *sizeValue) String() string {
	n, unit := uint64(*v), ""
	for _, u := range sizeUnits {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, string(u)
	}
	return strconv.FormatUint(n, 10) + unit
}

func (*sizeValue) Type() string { return "SIZE" }

// A durationValue is a time: 30s, 2m, 500ms, or a bare number of seconds.
type durationValue time.Duration

func (v *durationValue) Set(s string) error {
	bad := &wantError{want: "a time such as 30s, 2m or a number of seconds"}
	d, err := time.ParseDuration(s)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		f *= float64(time.Second)
		if ferr != nil || !(math.Abs(f) < math.MaxInt64) {
			return bad
		}
		d = time.Duration(f)
	}
	if d < 0 {
		return bad
	}
	*v = durationValue(d)
	return nil
}

func (v *durationValue) String() string {
	if *v == 0 {
		return "0"
	}
	return time.Duration(*v).String()
}

func (*durationValue) Type() string { return "TIME" }

// A pidsValue is a list of process ids in the order in which they were given,
// each once.
type pidsValue []event.PID

func (v *pidsValue) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		pid, ok := parsePID(word)
		if !ok {
			return &wantError{want: "a process id", mean: nameMeant(word)}
		}
		if !slices.Contains(*v, pid) {
			*v = append(*v, pid)
		}
	}
	return nil
}

// nameMeant suggests --name for a word that looks like one.
func nameMeant(word string) string {
	if word == "" || strings.HasPrefix(word, "-") || '0' <= word[0] && word[0] <= '9' {
		return ""
	}
	return "--name " + quoteWord(word)
}

func parsePID(s string) (event.PID, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return event.PID(n), err == nil && n > 0 && s[0] != '+'
}

func (v *pidsValue) String() string {
	words := make([]string, len(*v))
	for i, pid := range *v {
		words[i] = strconv.FormatUint(uint64(pid), 10)
	}
	return strings.Join(words, ",")
}

func (*pidsValue) Type() string { return "PID" }

// A choiceValue is one of a few words.
type choiceValue struct {
	word    string
	choices []string
	kind    string // as help texts name it
}

func (v *choiceValue) Set(s string) error {
	if !slices.Contains(v.choices, s) {
		return &wantError{want: orList(v.choices), mean: closest(s, v.choices)}
	}
	v.word = s
	return nil
}

func (v *choiceValue) String() string { return v.word }
func (v *choiceValue) Type() string   { return v.kind }

// orList joins words as a sentence does: "a, b or c".
func orList(words []string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
}

// A percentValue is a share: 5%, 0.5 % or 5 are 0.05. 0 stands for none.
type percentValue float64

func (v *percentValue) Set(s string) error {
	f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(s, "%")), 64)
	if err != nil || !(f > 0 && f <= 1000) {
		return &wantError{want: "a share such as 5%"}
	}
	*v = percentValue(f / 100)
	return nil
}

func (v *percentValue) String() string {
	if *v == 0 {
		return ""
	}
	return strconv.FormatFloat(math.Round(float64(*v)*1e6)/1e4, 'f', -1, 64) + "%"
}

func (*percentValue) Type() string { return "SHARE" }

// A countValue is a number of things; 0 stands for all.
type countValue int

func (v *countValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return &wantError{want: "a number, 0 for all"}
	}
	*v = countValue(n)
	return nil
}

func (v *countValue) String() string { return strconv.Itoa(int(*v)) }
func (*countValue) Type() string     { return "N" }

// A wordsValue collects words that are checked later, one a flag.
type wordsValue struct {
	words []string
	kind  string
}

func (v *wordsValue) Set(s string) error {
	if s == "" {
		return &wantError{want: "a " + strings.ToLower(v.kind)}
	}
	v.words = append(v.words, s)
	return nil
}

func (v *wordsValue) String() string { return strings.Join(v.words, ",") }
func (v *wordsValue) Type() string   { return v.kind }
