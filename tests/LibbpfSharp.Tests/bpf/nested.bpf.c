// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* One class emitted from two contexts of a CPU: a system call of one process, and the interrupt of
 * a perf clock that hits it in the middle. */
#include "emit.h"

#define CLASS_NESTED   40
#define BURST	       64
#define FROM_PROCESS   1
#define FROM_INTERRUPT 2

struct nested_record {
	struct record_header header;
	__u64 context;
};

const volatile __u32 target_pid;

static __always_inline void emit_one(__u64 context)
{
	struct nested_record *record = emit_reserve(CLASS_NESTED, 100, sizeof(*record), 0);

	if (!record)
		return;
	record->context = context;
	emit_submit(record);
}

SEC("raw_tp/sys_enter")
int from_process(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 != target_pid)
		return 0;
	for (int i = 0; i < BURST; i++)
		emit_one(FROM_PROCESS);
	return 0;
}

SEC("perf_event")
int from_interrupt(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == target_pid)
		emit_one(FROM_INTERRUPT);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
