/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A walk of the user stack, and the words of the stack that it reads.
 */
#ifndef MMTRACE_WINDOW_H
#define MMTRACE_WINDOW_H

/*
 * Rules that were looked up before on this CPU. A table does not change, and its
 * number is never given again, so what is found here holds.
 */
#define KNOWN_BITS 9

/*
 * A walk is a function of the registers it begins with, the words of the stack
 * that it reads, and the tables, which do not change within a version of the list
 * of code. A loop that makes the same call again walks the same frames: if the
 * registers and all those words are what they were, so is the stack.
 */
#define REPLAY_BITS 7
#define REPLAY_WORDS 64
#define NO_REPLAY (REPLAY_WORDS + 1)

#define REPLAY_PARTS 4

/* Where the frame pointer of a walk comes from. */
enum fp_from {
	FP_INITIAL, /* the register */
	FP_WORD, /* a word of the newest window that has not counted yet */
	FP_NOTED, /* one that has, or a constant */
};

/* What was read of one window of the stack. */
struct replay_part {
	__u64 base; /* address of the window */
	__u32 end; /* words of this part and those before it */
	__u32 bytes; /* of the window, that hold its words */
};

struct replay {
	__u64 at_sp[4]; /* pc, sp, fp and lr */
	__u64 hash_from;
	__u64 hash; /* of the stack */
	__u32 version; /* of the list of code */
	__u16 parts;
	__u16 fp_used;
	struct replay_part part[REPLAY_PARTS];
	__u64 value[REPLAY_WORDS];
	__u16 at[REPLAY_WORDS]; /* in the part's window, in words */
};

struct known {
	__u64 addr; /* of the file */
	__u32 module;
	__u32 rule;
};

/* A walk. The record comes first: it is what the walk is for. */
struct walk {
	struct stack_record record;
	__u64 hash;
	__u64 pc, sp, fp, lr;
	__u32 call; /* 1: pc is behind the instruction that is being executed */
	__u32 fresh; /* 1: the registers are those of the machine, not recovered */
	__u32 space;
	__u32 count; /* of frames */
	__u32 guessed;
	__u32 module; /* of the mapping that was found last */
	__u32 stop; /* enum stop */
	__u32 blind; /* 1: sp is only known to be no lower */
	__u64 start, end, bias;
	__u64 before_start, before_end, before_bias; /* of the one found before it */
	__u32 before_module;
	__u32 version; /* of the list that the mappings above are from */
	__u64 window_at;
	__u64 window_len; /* bytes */
	__u64 window[WINDOW_BYTES / 8];
	__u64 hash_from; /* what the hash begins with: the space and its generation */
	__u64 at_sp[4]; /* pc, sp, fp and lr where the walk begins */
	__u32 windows; /* read so far, each a part */
	__u32 words; /* read so far, or NO_REPLAY */
	__u32 fp_from; /* enum fp_from */
	__u32 fp_used; /* 1: what the walk found depends on the first fp */
	__u32 fp_at; /* FP_WORD: its place in the window */
	__u32 fp_windows; /* and windows as it was then */
	struct replay_part part[REPLAY_PARTS];
	__u64 read_value[REPLAY_WORDS];
	__u16 read_at[REPLAY_WORDS]; /* place in the window */
	struct known known[1 << KNOWN_BITS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} scratch SEC(".maps");

static __always_inline __u64 mix(__u64 h, __u64 v)
{
	h ^= v;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

/* Notes that the walk read a word of its newest window. */
static __always_inline void note_word(struct walk *w, __u32 at, __u64 v)
{
	__u32 i = w->words, n = w->windows - 1;

	if (i >= REPLAY_WORDS || n >= REPLAY_PARTS) {
		w->words = NO_REPLAY;
		return;
	}
	struct replay_part *p = &w->part[n];
	w->read_value[i] = v;
	w->read_at[i] = at;
	if (p->bytes < (at + 1) * 8)
		p->bytes = (at + 1) * 8;
	p->end = w->words = i + 1;
}

/* Reads the word at addr, with all that follows it in the window. */
static __always_inline bool get_word(struct walk *w, __u64 addr, __u64 *v, bool note)
{
	__u64 at = addr - w->window_at;

	if (addr & 7) {
		w->words = NO_REPLAY;
		return !bpf_probe_read_user(v, sizeof(*v), (void *)addr);
	}
	if (at >= w->window_len) {
		__u32 n = 4096 - (addr & 4095);
		if (n > WINDOW_BYTES)
			n = WINDOW_BYTES;
		w->window_len = 0;
		if (bpf_probe_read_user(w->window, n, (void *)addr))
			return false;
		w->window_at = addr;
		w->window_len = n;
		n = w->windows++;
		if (n < REPLAY_PARTS) {
			w->part[n].base = addr;
			w->part[n].end = w->words;
			w->part[n].bytes = 0;
		}
		at = 0;
	}
	at = (at / 8) & (WINDOW_BYTES / 8 - 1);
	*v = w->window[at];
	if (note)
		note_word(w, at, *v);
	else
		w->fp_at = at;
	return true;
}

static __always_inline bool read_word(struct walk *w, __u64 addr, __u64 *v)
{
	return get_word(w, addr, v, true);
}

/*
 * Reads the frame pointer of the caller. Without a frame pointer the register
 * serves for anything, a counter of a loop for one, so the word counts only once
 * it is used.
 */
static __always_inline bool read_fp(struct walk *w, __u64 addr, __u64 *v)
{
	if (!get_word(w, addr, v, false))
		return false;
	w->fp_from = FP_WORD;
	w->fp_windows = w->windows;
	return true;
}

/* Notes that the walk depends on the frame pointer. */
static __always_inline void use_fp(struct walk *w)
{
	if (w->fp_from == FP_INITIAL)
		w->fp_used = 1;
	else if (w->fp_from == FP_WORD && w->fp_windows == w->windows)
		note_word(w, w->fp_at, w->fp);
	else if (w->fp_from == FP_WORD)
		w->words = NO_REPLAY;
	w->fp_from = FP_NOTED;
}

#endif
