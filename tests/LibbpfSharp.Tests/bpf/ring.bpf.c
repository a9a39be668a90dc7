// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Copies the packet of a test run into a ring; a first byte of 0xdd reserves and discards instead.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

struct xdp_md {
	__u32 data;
	__u32 data_end;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[2048]);
} copy SEC(".maps");

SEC("xdp")
int produce(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 size = end - data;
	__u32 key = 0;
	__u8 *buffer = bpf_map_lookup_elem(&copy, &key);

	if (!buffer || data + 14 > end || size > 2048)
		return 0;
	if (data[0] == 0xdd) {
		void *dropped = bpf_ringbuf_reserve(&ring, 64, 0);

		if (!dropped)
			return 1;
		bpf_ringbuf_discard(dropped, 0);
		return 2;
	}
	barrier_var(size);
	if (size > 2048)
		return 0;
	if (bpf_probe_read_kernel(buffer, size, data))
		return 0;
	return bpf_ringbuf_output(&ring, buffer, size, 0) ? 1 : 2;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
