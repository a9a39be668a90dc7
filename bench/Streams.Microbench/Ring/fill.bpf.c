// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Each run puts one record of 120 bytes (128 with its header) into a ring that holds 131,071 of them. Nobody is woken: the reader polls.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

SEC("xdp")
int fill(void *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&ring, 120, 0);

	if (!record)
		return 1;
	record[0] = bpf_ktime_get_boot_ns();
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 2;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
