/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * process_madvise, brought to the form of madvise. Its memory may be another
 * process's, but what gives memory back is allowed for the caller's own alone
 * (since Linux 6.13, and not at all before; process_madvise_remote_valid in
 * mm/madvise.c). So a call that succeeds with such advice is about the caller,
 * whatever its pidfd says, and no other advice changes what is in the ledger.
 */
#ifndef MMTRACE_ADVICE_H
#define MMTRACE_ADVICE_H

#define MADV_DONTNEED 4
#define MADV_FREE 8
#define MADV_REMOVE 9
#define MADV_DONTNEED_LOCKED 24
#define ENOMEM 12
#define MAX_RANGES 32 /* told of one call */

/* Element i of the vector of ranges at vec. */
static __always_inline bool range_at(__u64 *range, __u64 vec, __u32 i, bool compat)
{
	__u32 narrow[2];

	if (!compat)
		return !bpf_probe_read_user(range, 16, (void *)(vec + 16ULL * i));
	if (bpf_probe_read_user(narrow, sizeof(narrow), (void *)(vec + 8ULL * i)))
		return false;
	range[0] = narrow[0];
	range[1] = narrow[1];
	return true;
}

/*
 * Sends a record for each range of the vector at vec but the first, with
 * MARK_MORE, until there are left bytes or it has come to MAX_RANGES. Returns how
 * many bytes are left. A function of its own, so that the verifier looks at it once.
 */
__noinline __u64 tell_more(__u64 vec, __u64 left, __u32 advice, __u32 compat, __u64 time)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct space *space = find_space((__u64)task->mm, task->tgid);
	__u64 range[2];

	if (!space)
		return left;
	for (__u32 i = 1; i < MAX_RANGES; i++) {
		if (!left || !range_at(range, vec, i, compat) || range[1] > left)
			break;
		struct record *r = reserve(space, KIND_MADVISE);
		if (!r)
			break;
		r->marks = MARK_MORE | (compat ? MARK_COMPAT : 0);
		r->after = space->seq;
		r->time = time;
		r->args[0] = range[0];
		r->args[1] = range[1];
		r->args[2] = advice;
		submit(r);
		left -= range[1];
	}
	return left;
}

/*
 * Makes r the record of the first range, and tells those that follow. The call
 * returns how many bytes it got through, in whole ranges; aux of r is how many of
 * them no record tells. Returns false for a call that gave nothing back, and makes
 * r one of KIND_OTHER.
 */
static __always_inline bool tell_ranges(struct record *r)
{
	__u64 vec = r->args[1], range[2];
	__u32 advice = r->args[3];
	bool compat = r->marks & MARK_COMPAT;
	__s64 ret = compat ? (__s32)r->ret : r->ret;
	bool gives = advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE || advice == MADV_DONTNEED_LOCKED;

	__builtin_memset(r->args, 0, sizeof(r->args));
	if (!gives || (FAILED(ret) && ret != -ENOMEM)) {
		r->kind = KIND_OTHER;
		r->args[0] = NR_PROCESS_MADVISE;
		return false;
	}
	r->args[2] = advice;
	bool known = range_at(range, vec, 0, compat);
	if (known) {
		r->args[0] = range[0];
		r->args[1] = range[1];
	}
	if (FAILED(ret)) /* the first range has holes, and what is between them was given back */
		return true;
	r->ret = 0;
	r->aux = ret;
	if (known && range[1] <= ret)
		r->aux = tell_more(vec, ret - range[1], advice, compat, r->time);
	return true;
}

#endif
