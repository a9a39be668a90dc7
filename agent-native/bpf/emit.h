/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How a program gives a record to the agent, for any class.
 *
 * Every event that passes the filters takes one number of its (class, cpu), whether it reaches the
 * ring or not; so numbers that never arrive are losses, and the counters say why. Three rules make
 * that provable when programs nest on a CPU (a softirq interrupts a process, a perf interrupt
 * both):
 *
 *  1. The number is an atomic fetch-and-add on the per-CPU slot (BPF_FETCH, kernel 5.12). A plain
 *     increment that is interrupted between load and store gives two records one number.
 *  2. A loss is counted before its number is taken. Who takes a later number and then reads the
 *     counters therefore sees every loss below it: a hole is always explained by the next record.
 *  3. Space in the ring is reserved before the number is taken. Every stored number below n has its
 *     place in the ring before n is committed, so a reader that has seen n and drained up to the
 *     producer position of that moment knows that what is missing below n is lost.
 *     emit_output() cannot keep 2 and 3, see there.
 *
 * Programs run with migration disabled, so the slot stays that of one CPU (kernel/bpf/trampoline.c,
 * include/linux/filter.h: bpf_prog_run_pin_on_cpu and the tracing variants).
 */
#ifndef STREAMS_EMIT_H
#define STREAMS_EMIT_H

#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "events.h"

/*
 * When an agent dies its programs stay attached and go on stamping into the same maps; the next one
 * attaches its own beside them and then moves control.active on. So at any moment one generation
 * stamps, whatever is attached. Set by the agent before load, in a section of its own because the
 * agent writes the whole section.
 */
const volatile __u32 generation SEC(".rodata.generation") = 0;

/* All five are pinned together as one sensor instance and shared by every object of it. The agent
 * sets the size of the ring before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLASS_SLOTS);
	__type(key, __u32);
	__type(value, struct class_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct sensor_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sensor_instance);
} instance SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXCLUDED_CGROUPS);
	__type(key, __u64);
	__type(value, __u32);
} excluded SEC(".maps");

static __always_inline struct class_slot *slot_of(__u16 class)
{
	__u32 key = class;

	return bpf_map_lookup_elem(&slots, &key);
}

static __always_inline struct sensor_control *control_word(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&control, &key);
}

/* False for programs of a generation that is no longer, or not yet, in charge. They return at once:
 * not only their records, also what they would note about sockets and processes is the other's. */
static __always_inline bool is_in_charge(void)
{
	struct sensor_control *word = control_word();

	return word && (*(volatile __u32 *)&word->active & ~HAND_OVER) == generation;
}

/* Asked for every event that would be stamped. False, and counted, during a hand-over. */
static __always_inline bool may_stamp(struct class_slot *slot, struct sensor_control *word)
{
	if (*(volatile __u32 *)&word->active == generation)
		return true;
	__sync_fetch_and_add(&slot->unseen, 1);
	return false;
}

static __always_inline void count_filtered(__u16 class)
{
	struct class_slot *slot = slot_of(class);

	if (slot)
		__sync_fetch_and_add(&slot->filtered, 1);
}

/* cause must be a constant below LOST_CAUSES. Rule 2: count, then take the number. */
static __always_inline void count_lost(struct class_slot *slot, __u32 cause)
{
	__sync_fetch_and_add(&slot->lost[cause], 1);
	__sync_fetch_and_add(&slot->seq, 1);
}

static __always_inline void stamp(struct record_header *header, struct class_slot *slot,
				  struct sensor_control *word, __u16 class, __u32 flags)
{
	header->time_ns = bpf_ktime_get_boot_ns();
	header->seq = __sync_fetch_and_add(&slot->seq, 1) + 1;
	header->policy_generation = word->policy_generation;
	header->lost[LOST_RING_FULL] = *(volatile __u64 *)&slot->lost[LOST_RING_FULL];
	header->lost[LOST_RATE_LIMITED] = *(volatile __u64 *)&slot->lost[LOST_RATE_LIMITED];
	header->lost[LOST_SHED] = *(volatile __u64 *)&slot->lost[LOST_SHED];
	header->lost[LOST_READ_FAULT] = *(volatile __u64 *)&slot->lost[LOST_READ_FAULT];
	header->flags = flags;
	header->class = class;
	header->cpu = (__u16)bpf_get_smp_processor_id();
}

/*
 * Waking the reader costs the emitting program an irq_work and often an interrupt of another CPU:
 * measured 10 us an exec against 1.3 us without. With a threshold it happens while the fill passes
 * it (a band, so that programs on several CPUs cannot all step over a line). Above the band the
 * reader is awake and behind; then the kernel's own rule (wake when it has caught up with this very
 * record) wakes nobody and is the safety net.
 */
static __always_inline __u64 wakeup_flags(struct sensor_control *word)
{
	__u64 threshold = word->wakeup_bytes;
	__u64 waiting;

	if (!threshold)
		return 0;
	waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	if (waiting < threshold)
		return BPF_RB_NO_WAKEUP;
	return waiting < threshold + threshold / 4 ? BPF_RB_FORCE_WAKEUP : 0;
}

/*
 * A stamped record of a constant size whose body the caller fills completely (ring memory is not
 * zeroed) and gives to emit_submit(). NULL when the event was shed or the ring is full: it is
 * counted and numbered already.
 */
static __always_inline void *emit_reserve(__u16 class, __u32 value, __u64 size, __u32 flags)
{
	struct sensor_control *word = control_word();
	struct class_slot *slot = slot_of(class);
	struct record_header *header;

	if (!slot || !word || !may_stamp(slot, word))
		return 0;
	if (value < word->shed_level) {
		count_lost(slot, LOST_SHED);
		return 0;
	}
	header = bpf_ringbuf_reserve(&events, size, 0);
	if (!header) {
		count_lost(slot, LOST_RING_FULL);
		return 0;
	}
	stamp(header, slot, word, class, flags);
	return header;
}

static __always_inline void emit_submit(void *record)
{
	struct sensor_control *word = control_word();

	bpf_ringbuf_submit(record, word ? wakeup_flags(word) : 0);
}

/* True, and counted, when the event must not be emitted, mostly because its class is being shed
 * (then it is numbered too): asked first, once, by programs that build a long record for
 * emit_output(). */
static __always_inline bool emit_shed(__u16 class, __u32 value)
{
	struct sensor_control *word = control_word();
	struct class_slot *slot = slot_of(class);

	if (!slot || !word || !may_stamp(slot, word))
		return true;
	if (value >= word->shed_level)
		return false;
	count_lost(slot, LOST_SHED);
	return true;
}

/*
 * A record of variable length, built in per-CPU scratch. The number is taken before the ring has
 * room, so this is only for classes that one program emits and that cannot nest: the kernel skips
 * a tracing program that is entered again on its CPU (prog->active in kernel/trace/bpf_trace.c and
 * counts it in recursion_misses), so nothing else takes a number of the class meanwhile.
 */
static __always_inline void emit_output(struct record_header *header, __u16 class, __u64 size,
					__u32 flags)
{
	struct sensor_control *word = control_word();
	struct class_slot *slot = slot_of(class);

	if (!slot || !word)
		return;
	stamp(header, slot, word, class, flags);
	if (bpf_ringbuf_output(&events, header, size, wakeup_flags(word)))
		__sync_fetch_and_add(&slot->lost[LOST_RING_FULL], 1);
}

#endif
