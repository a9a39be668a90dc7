// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Constants and variables that are set before load, and one program of several attach kinds. */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

const volatile __u32 constant = 1;
__u32 variable = 2;
__u64 runs;

SEC("xdp")
int sum(void *ctx)
{
	return constant + variable;
}

SEC("raw_tp/sched_process_exec")
int on_raw(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_btf(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("cgroup/connect4")
int deny(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("perf_event")
int on_clock(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("tp/sched/sched_process_exec")
int on_tracepoint(void *ctx)
{
	__sync_fetch_and_add(&runs, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
