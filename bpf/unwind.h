/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The user stack at the return of a system call, walked by tables that user
 * space makes of .eh_frame, and by frame pointers where there is no table. The
 * form of the tables and the model of the walk: internal/unwind.
 *
 * One step of the walk is a global function, which the verifier checks once and
 * apart from the loop around it, and so is the loop. That loads on every kernel
 * since 5.10; an inlined step, bpf_loop and iterators do not.
 */
#ifndef MMTRACE_UNWIND_H
#define MMTRACE_UNWIND_H

#define CHUNK_WORDS 16384 /* of a table's chunk, 4 bytes each */
#define MAX_MODULES 1024
#define MAX_RULES 16384
#define WINDOW_BYTES 2048 /* of the stack, read at once */
#define LOWEST_CODE 4096
#define MAX_FRAME_BYTES (8 << 20) /* no honest frame is larger */
#define SNAPSHOT_BELOW 16

/* What a word on the stack keeps of a code address: arm64 signs return addresses. */
const volatile __u64 code_mask = ~0ULL;

/* The values are those of unwind.Kind in internal/unwind/info.go. */
enum rule_kind {
	RULE_GAP, /* nothing is known */
	RULE_REG, /* CFA = base + off */
	RULE_PLT, /* CFA = sp + 8, + 8 from byte off of each 16 on */
	RULE_DEREF, /* CFA = *(base + off) + off2 */
	RULE_SIGNAL, /* a signal handler's frame */
	RULE_ROOT,
	RULE_FRAME_POINTER,
	RULE_UNSUPPORTED,
	RULE_SWITCH, /* Go on arm64, on the scheduler's stack */
};

enum rule_fp {
	FP_SAME,
	FP_AT_CFA, /* *(CFA + fp_off) */
	FP_AT_FP, /* *(fp + fp_off) */
	FP_LOST,
};

/* How to get from a frame to its caller. unwind.Info has the same layout. */
struct rule {
	__u8 kind; /* enum rule_kind */
	__u8 base; /* 0: sp, 1: fp */
	__u8 fp; /* enum rule_fp */
	__u8 link; /* 1: the return address is in the link register */
	__s32 off;
	__s32 off2; /* else: it is at CFA + off2; RULE_DEREF: at CFA - 8 */
	__s32 fp_off;
};

_Static_assert(sizeof(struct rule) == 16, "rule has no implicit padding");

/* Why a walk ended. The values are those of unwind.Stop in internal/unwind/walk.go. */
enum stop {
	STOP_NONE,
	STOP_ROOT,
	STOP_ZERO, /* the caller's address is none of code */
	STOP_NO_MAP, /* it is in no executable mapping that is known */
	STOP_GAP, /* no rule, and nothing that could be a frame pointer */
	STOP_UNSUPPORTED,
	STOP_FAULT, /* memory could not be read */
	STOP_MAX, /* at MAX_FRAMES */
	STOP_FP_END, /* the chain of frame pointers ended */
	STOP_NO_SPACE, /* nothing is known of the address space */
};

/* An executable mapping. */
struct code_range {
	__u64 start;
	__u64 end;
	__u64 bias; /* of addresses against those of the file */
	__u32 module; /* index in modules, or NO_MODULE */
	__u32 pad; /* always zero */
};

_Static_assert(sizeof(struct code_range) == 32, "code_range has no implicit padding");

/* The executable mappings of a space lie in blocks, in the order of addresses. */
#define BLOCK_RANGES 64
#define MAX_BLOCKS 64

struct code_block {
	struct code_range ranges[BLOCK_RANGES];
};

/* What comes first: where the blocks begin. */
struct code_head {
	__u64 changes; /* the space's code_changes that the blocks take in */
	__u32 count; /* of ranges */
	__u32 version; /* unique among all lists; 0: nothing may be kept of them */
	__u64 first[MAX_BLOCKS]; /* start of the first range of each block */
};

_Static_assert(sizeof(struct code_head) <= sizeof(struct code_block), "a head fits in the place of a block");

#define NO_MODULE 0xffffffff /* generated code: frame pointers */

/* Tables of files: the chunks of an unwind.Table. */
struct chunks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, CHUNK_WORDS * 4);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_MODULES);
	__type(key, __u32);
	__array(values, struct chunks);
} modules SEC(".maps");

/*
 * Executable mappings of address spaces, by struct space's id or code: an array
 * of a struct code_head and struct code_blocks. It is replaced as a whole.
 */
struct code_ranges {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct code_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__array(values, struct code_ranges);
} code SEC(".maps");

/* The rules that rows of tables refer to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RULES);
	__type(key, __u32);
	__type(value, struct rule);
} infos SEC(".maps");

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

/* Makes r the current mapping; the one before may be met again soon. */
static __always_inline void change_code(struct walk *w, __u64 start, __u64 end, __u64 bias, __u32 module)
{
	w->before_start = w->start;
	w->before_end = w->end;
	w->before_bias = w->bias;
	w->before_module = w->module;
	w->start = start;
	w->end = end;
	w->bias = bias;
	w->module = module;
}

/* Finds the mapping that holds pc, for the walk in scratch. Returns enum stop. */
__noinline int search_code(__u32 key, __u64 pc)
{
	__u32 low = 0, n;

	struct walk *w = bpf_map_lookup_elem(&scratch, &key);
	if (!w)
		return STOP_FAULT;
	__u32 space = w->space;
	void *blocks = bpf_map_lookup_elem(&code, &space);
	if (!blocks)
		return STOP_NO_SPACE;
	struct code_head *head = bpf_map_lookup_elem(blocks, &key);
	if (!head)
		return STOP_NO_SPACE;
	__u32 count = head->count;
	n = (count + BLOCK_RANGES - 1) / BLOCK_RANGES;
	for (int i = 0; i < 7 && n > 1; i++) {
		__u32 half = n / 2;
		if (head->first[(low + half) & (MAX_BLOCKS - 1)] <= pc) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	key = low + 1;
	struct code_block *block = bpf_map_lookup_elem(blocks, &key);
	if (!block)
		return STOP_NO_MAP;
	n = count - low * BLOCK_RANGES;
	if (n > BLOCK_RANGES)
		n = BLOCK_RANGES;
	low = 0;
	for (int i = 0; i < 7 && n > 1; i++) {
		__u32 half = n / 2;
		if (block->ranges[(low + half) & (BLOCK_RANGES - 1)].start <= pc) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	struct code_range *r = &block->ranges[low & (BLOCK_RANGES - 1)];
	if (pc < r->start || pc >= r->end)
		return STOP_NO_MAP;
	change_code(w, r->start, r->end, r->bias, r->module);
	return STOP_NONE;
}

/* The same, unless it is one of the last two again. */
static __always_inline enum stop find_code(struct walk *w, __u64 pc)
{
	if (pc >= w->start && pc < w->end)
		return STOP_NONE;
	if (pc >= w->before_start && pc < w->before_end) {
		change_code(w, w->before_start, w->before_end, w->before_bias, w->before_module);
		return STOP_NONE;
	}
	return search_code(0, pc);
}

/* Index of the rule for addr, an address of the file; -1: the table is not there. */
static __always_inline int find_rule(__u32 module, __u64 addr)
{
	__u32 zero = 0;
	void *chunks = bpf_map_lookup_elem(&modules, &module);
	if (!chunks)
		return -1;
	__u32 *words = bpf_map_lookup_elem(chunks, &zero);
	if (!words)
		return -1;
	__u64 page = (addr >> 16) - words[0];
	if (page >= words[1] || page >= CHUNK_WORDS / 2 - 1)
		return 0;
	__u32 place = words[2 + 2 * page], n = words[3 + 2 * page];
	__u32 chunk = place >> 16, low = place & 0xffff;
	if (chunk) {
		words = bpf_map_lookup_elem(chunks, &chunk);
		if (!words)
			return -1;
	}
	__u16 x = addr;
	for (int i = 0; i < 15 && n > 1; i++) { /* the first row is for 0 */
		__u32 half = n / 2;
		if ((__u16)words[(low + half) & (CHUNK_WORDS - 1)] <= x) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return words[low & (CHUNK_WORDS - 1)] >> 16;
}

/* The same, from what is known already if it can be. */
static __always_inline int recall_rule(struct walk *w, __u64 addr)
{
	__u64 h = addr * 0x9e3779b97f4a7c15ULL;
	struct known *k = &w->known[(h >> (64 - KNOWN_BITS)) & ((1 << KNOWN_BITS) - 1)];
	__u32 module = w->module;

	if (k->addr == addr && k->module == module)
		return k->rule;
	int rule = find_rule(module, addr);
	if (rule >= 0) {
		k->addr = addr;
		k->module = module;
		k->rule = rule;
	}
	return rule;
}

/* Makes the caller the current frame. */
static __always_inline enum stop enter(struct walk *w, __u64 pc, __u64 sp, __u64 fp)
{
	w->pc = pc & code_mask;
	w->sp = sp;
	w->fp = fp;
	w->call = 1;
	w->fresh = w->blind = 0;
	return STOP_NONE;
}

/*
 * Goes by the frame pointer. On arm64 it leads to a record somewhere in the
 * frame, on x86-64 to the end of the frame.
 */
static __always_inline enum stop follow(struct walk *w)
{
	__u64 fp, pc;

	use_fp(w);
	if (!w->fp)
		return STOP_FP_END;
	if (w->fp & 7)
		return STOP_GAP;
	if (!read_fp(w, w->fp, &fp) || !read_word(w, w->fp + 8, &pc))
		return STOP_FAULT;
	enter(w, pc, w->fp + 16, fp);
	w->blind = !ON_X86;
	return STOP_NONE;
}

/* Whether the instruction before addr is a call. */
static __always_inline bool behind_call(__u64 addr)
{
	__u8 code[8];

	if (addr < LOWEST_CODE || bpf_probe_read_user(code, sizeof(code), (void *)(addr - sizeof(code))))
		return false;
	if (code[3] == 0xe8) /* call rel32 */
		return true;
	if (code[6] == 0xff && (code[7] & 0x38) == 0x10) /* call reg, call [reg] */
		return true;
	if (code[5] == 0xff && (code[6] & 0x38) == 0x10) /* call [reg+disp8] */
		return true;
	return code[2] == 0xff && (code[3] & 0x38) == 0x10; /* call [reg+disp32], call [rip+disp32] */
}

/*
 * Goes to the caller of a leaf that makes a system call and of whose frame
 * nothing is known. Wrappers keep none: what lies at sp, if it follows a call, is
 * the way back.
 */
static __always_inline bool leave_leaf(struct walk *w)
{
	__u64 pc;

	if (!w->fresh || !w->call)
		return false;
	if (!ON_X86) {
		if (w->lr < LOWEST_CODE)
			return false;
		enter(w, w->lr, w->sp, w->fp);
		return true;
	}
	if (!read_word(w, w->sp, &pc) || !behind_call(pc))
		return false;
	w->words = NO_REPLAY; /* code was read, too */
	enter(w, pc, w->sp + 8, w->fp);
	return true;
}

/* Goes by a frame pointer of which nobody said that it is one. */
static __always_inline enum stop guess(struct walk *w)
{
	if (leave_leaf(w)) {
		w->guessed++;
		return STOP_NONE;
	}
	use_fp(w);
	if (w->fp && (w->fp < w->sp || w->fp - w->sp > MAX_FRAME_BYTES))
		return STOP_GAP;
	enum stop stop = follow(w);
	if (!stop)
		w->guessed++;
	return stop;
}

/* Go makes system calls in assembly without a frame; all else keeps one. */
static __always_inline enum stop chained(struct walk *w)
{
	__u64 pc;

	if (!w->fresh || !w->call)
		return follow(w);
	if (!ON_X86)
		return enter(w, w->lr, w->sp, w->fp);
	if (!read_word(w, w->sp, &pc))
		return STOP_FAULT;
	return enter(w, pc, w->sp + 8, w->fp);
}

/*
 * Goes to what a signal interrupted. The kernel left its registers on the
 * stack: struct rt_sigframe, up to uc_mcontext.
 */
static __always_inline enum stop interrupted(struct walk *w)
{
	__u64 at = w->sp + (ON_X86 ? 40 : 312), pc, sp, fp, lr = 0;
	bool ok;

	if (w->blind)
		return guess(w);
	if (ON_X86)
		ok = read_word(w, at + 10 * 8, &fp) && read_word(w, at + 15 * 8, &sp) &&
		     read_word(w, at + 16 * 8, &pc);
	else
		ok = read_word(w, at + 29 * 8, &fp) && read_word(w, at + 30 * 8, &lr) &&
		     read_word(w, at + 31 * 8, &sp) && read_word(w, at + 32 * 8, &pc);
	if (!ok)
		return STOP_FAULT;
	w->fp_from = FP_NOTED;
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->lr = lr;
	w->call = 0;
	w->fresh = 1;
	w->blind = 0;
	return STOP_NONE;
}

/* Goes to the caller by a rule that says where the frame ends. */
static __always_inline enum stop leave(struct walk *w, struct rule *r, __u64 pc)
{
	__u64 cfa = r->base ? w->fp : w->sp, fp = w->fp, back = w->lr;
	__s64 ra = r->off2;

	if (w->blind && !r->base)
		return guess(w);
	if (r->base || r->fp == FP_AT_FP)
		use_fp(w);
	if (r->kind == RULE_REG) {
		cfa += (__s64)r->off;
	} else if (r->kind == RULE_PLT) {
		cfa = w->sp + 8 + ((pc & 15) >= (__u64)r->off ? 8 : 0);
	} else {
		if (!read_word(w, cfa + (__s64)r->off, &cfa))
			return STOP_FAULT;
		cfa += ra;
		ra = -8;
	}
	if (r->fp == FP_LOST) {
		fp = 0;
		w->fp_from = FP_NOTED;
	} else if (r->fp && !read_fp(w, (r->fp == FP_AT_CFA ? cfa : fp) + (__s64)r->fp_off, &fp)) {
		return STOP_FAULT;
	}
	if (r->link) {
		if (!w->fresh)
			return STOP_UNSUPPORTED;
	} else if (!read_word(w, cfa + ra, &back)) {
		return STOP_FAULT;
	}
	return enter(w, back, cfa, fp);
}

/*
 * Goes from the stack of Go's scheduler to that of the goroutine: to the frame
 * record right below its stack pointer. On the stack are the goroutine, the upper
 * end of whose stack is its second word, and the distance from there.
 */
static __always_inline enum stop switched(struct walk *w)
{
	__u64 g, depth, end;

	if (w->blind)
		return guess(w);
	if (!read_word(w, w->sp, &g) || !read_word(w, w->sp + 8, &depth) || !read_word(w, g + 8, &end))
		return STOP_FAULT;
	w->fp = end - depth - 8;
	w->fp_from = FP_NOTED; /* by the words that it was made of */
	return follow(w);
}

/*
 * Adds the current frame of the walk in scratch and goes on to its caller's.
 * Returns enum stop. zero is 0; a parameter that is not used would be one that
 * the compiler does not pass.
 */
__noinline int walk_step(__u32 zero)
{
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return STOP_FAULT;
	if (w->pc < LOWEST_CODE)
		return STOP_ZERO;
	__u64 pc = w->pc - w->call;
	enum stop stop = find_code(w, pc);
	if (stop)
		return stop;
	__u32 n = w->count;
	if (n >= MAX_FRAMES)
		return STOP_MAX;
	w->record.frames[n] = w->pc;
	w->hash = mix(w->hash, w->pc);
	w->count = n + 1;
	if (w->module == NO_MODULE)
		return guess(w);
	int index = recall_rule(w, pc - w->bias);
	if (index < 0)
		return STOP_GAP;
	struct rule *r = bpf_map_lookup_elem(&infos, &index);
	if (!r)
		return STOP_GAP;
	switch (r->kind) {
	case RULE_GAP:
		return guess(w);
	case RULE_REG:
	case RULE_PLT:
	case RULE_DEREF:
		return leave(w, r, pc);
	case RULE_SIGNAL:
		return interrupted(w);
	case RULE_ROOT:
		return STOP_ROOT;
	case RULE_FRAME_POINTER:
		return chained(w);
	case RULE_SWITCH:
		return switched(w);
	}
	return STOP_UNSUPPORTED;
}

/* Takes all steps of the walk in scratch. Returns enum stop. */
__noinline int walk_all(__u32 zero)
{
	for (int i = 0; i < MAX_FRAMES + 1; i++) {
		int stop = walk_step(zero);
		if (stop)
			return stop;
	}
	return STOP_MAX;
}

/* Begins a walk at the registers of a system call. */
static __always_inline void begin_walk(struct walk *w, void *regs, __u32 space)
{
	if (ON_X86) {
		struct pt_regs___x86 *r = regs;
		w->pc = r->ip;
		w->sp = r->sp;
		w->fp = r->bp;
		w->lr = 0;
	} else {
		struct pt_regs___arm64 *r = regs;
		w->pc = r->pc;
		w->sp = r->sp;
		w->fp = r->regs[29];
		w->lr = r->regs[30];
	}
	w->at_sp[0] = w->pc;
	w->at_sp[1] = w->sp;
	w->at_sp[2] = w->fp;
	w->at_sp[3] = w->lr;
	w->call = w->fresh = 1;
	w->blind = 0;
	w->space = space;
	w->count = w->guessed = 0;
	w->window_len = 0;
	w->windows = w->words = w->fp_used = 0;
	w->fp_from = FP_INITIAL;
}

/* Keeps the mappings of the walk before if they are from the same list. */
static __always_inline void keep_code(struct walk *w, void *ranges)
{
	__u32 zero = 0, version = 0;
	struct code_head *head = ranges ? bpf_map_lookup_elem(ranges, &zero) : 0;

	if (head)
		version = head->version;
	if (version && version == w->version)
		return;
	w->version = version;
	w->start = w->end = w->before_start = w->before_end = 0;
}

/* Makes scratch ready for a walk of the current task. */
static __always_inline void prepare_walk(struct walk *w, void *regs, struct space *space)
{
	__u32 from = space->id;
	void *ranges = bpf_map_lookup_elem(&code, &from);
	if (!ranges) {
		from = space->code;
		ranges = bpf_map_lookup_elem(&code, &from);
	}
	begin_walk(w, regs, from);
	keep_code(w, ranges);
	w->hash_from = mix(((__u64)space->id << 32) | space->generation, 1);
}

/*
 * Fills the record in w, which is scratch and prepared, with the stack of the
 * current task and returns its hash, which covers the space and its generation
 * of code: never 0. Where it stopped is in scratch until the next walk.
 */
static __always_inline __u64 walk(struct walk *w, struct space *space)
{
	struct stack_record *s = &w->record;

	w->hash = w->hash_from;
	int stop = walk_all(0);
	if (!w->count) { /* an address at least */
		s->frames[0] = w->pc;
		w->hash = mix(w->hash, w->pc);
		w->count = 1;
	}
	w->stop = stop;
	s->kind = KIND_STACK;
	s->flags = (__u32)stop << STACK_STOP_SHIFT | w->guessed << STACK_GUESSED_SHIFT;
	if (stop == STOP_MAX)
		s->flags |= STACK_TRUNCATED;
	s->space = space->id;
	s->count = w->count;
	__u64 h = mix(mix(w->hash, w->count), s->flags);
	s->stack = h ? h : 1;
	return s->stack;
}

/*
 * Whether user space may find more, given a copy of the stack: code was mapped
 * that the ranges here do not take in yet.
 */
static __always_inline bool unfinished(struct walk *w, struct space *space)
{
	__u32 zero = 0, code_id = w->space;

	if (w->stop == STOP_NO_SPACE)
		return true;
	if (w->stop != STOP_NO_MAP)
		return false;
	void *ranges = bpf_map_lookup_elem(&code, &code_id);
	if (!ranges)
		return true;
	struct code_head *head = bpf_map_lookup_elem(ranges, &zero);
	return !head || head->changes != space->code_changes;
}

/*
 * Where to begin to copy the stack of a frame: as far below its sp as it keeps
 * anything. Go has the frame pointer's record there on arm64. It is in sp's
 * page, for the one below may not be there.
 */
static __always_inline __u64 snapshot_base(__u64 sp)
{
	return (sp & 4095) >= SNAPSHOT_BELOW ? sp - SNAPSHOT_BELOW : sp;
}

/*
 * Copies SNAPSHOT_BYTES of the stack, and the rest of a page, from base on to
 * the buffer at out, which holds a page more. Returns how many there are: fewer
 * if the stack ends. It copies page by page: one read across the end would fail
 * whole.
 */
static __always_inline __u32 copy_stack(__u8 *out, __u64 base)
{
	__u32 n = 0;

	for (int i = 0; i < SNAPSHOT_BYTES / 4096 + 1; i++) {
		__u32 k = 4096 - (base & 4095);
		/* Linux 5.15 does not see that k is no more than that. */
		asm volatile("" : "+r"(k));
		if (n >= SNAPSHOT_BYTES || k > 4096)
			break;
		if (bpf_probe_read_user(out + n, k, (void *)base))
			break;
		n += k;
		base += k;
	}
	return n;
}

#endif
