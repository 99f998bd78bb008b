// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Walks the stacks of one process's calls of getppid and mmap, and copies them. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "syscalls.h"
#include "unwind.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 target = 0; /* thread-group ID */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} events SEC(".maps");

/* Follows the stack_record of the same call. */
struct sample {
	__u64 start[4]; /* pc, sp, fp, lr of the call */
	__u64 stopped[4]; /* and where the walk stopped */
	__u64 nr;
	__u64 base; /* of what is copied */
	__u32 tid;
	__u32 copied; /* bytes */
	__u8 copy[SNAPSHOT_BYTES + 4096];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample);
} samples SEC(".maps");

__u64 lost = 0;

/* Keeps types in the object's BTF, for the test of their values. */
struct {
	enum rule_kind kind;
	enum rule_fp fp;
	enum stop stop;
	struct rule rule;
} kept __attribute__((unused));

SEC("tp_btf/sys_exit")
int sampled(__u64 *ctx)
{
	void *regs = (void *)ctx[0];
	__u64 id = bpf_get_current_pid_tgid();
	struct space space = { .id = 1, .code = 1 };
	__u32 zero = 0;

	if (id >> 32 != target)
		return 0;
	long nr = call_number(regs);
	if (ON_X86 ? nr != 110 && nr != 9 : nr != 173 && nr != 222)
		return 0;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct sample *s = bpf_map_lookup_elem(&samples, &zero);
	if (!w || !s)
		return 0;
	prepare_walk(w, regs, &space);
	s->start[0] = w->pc;
	s->start[1] = w->sp;
	s->start[2] = w->fp;
	s->start[3] = w->lr;
	walk(w, &space);
	s->stopped[0] = w->pc;
	s->stopped[1] = w->sp;
	s->stopped[2] = w->fp;
	s->stopped[3] = w->lr;
	s->nr = nr;
	s->tid = id;
	s->base = snapshot_base(s->start[1]);
	s->copied = copy_stack(s->copy, s->base);
	if (bpf_ringbuf_output(&events, &w->record, sizeof(w->record), 0) ||
	    bpf_ringbuf_output(&events, s, sizeof(*s), 0))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
