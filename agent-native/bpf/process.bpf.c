// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Processes: one record when a program starts, one when a process is gone.
 */
#include "emit.h"

#define PF_KTHREAD	  0x00200000 /* include/linux/sched.h */
#define SIGNAL_GROUP_EXIT 0x00000004 /* include/linux/sched/signal.h */
#define CORE_DUMPED	  0x80	     /* wait(2) status */

struct exec_scratch {
	__u64 words[(sizeof(struct process_exec_record) + FILENAME_SIZE + ARGV_SIZE) / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exec_scratch);
} scratch SEC(".maps");

/* Which multi-threaded processes have been reported as gone, see on_exit. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} gone SEC(".maps");

/* Types that only the reader uses are kept in BTF by a reference. */
struct process_exec_record *unused_exec __attribute__((unused));
struct process_exit_record *unused_exit __attribute__((unused));

static __always_inline __u32 parent_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, real_parent, tgid);
}

/*
 * sched_process_exec fires once per successful exec, after the new image, credentials and comm are
 * in place and before the first instruction of user code (fs/exec.c: exec_binprm), in the context
 * of the process. The argument pages were written by this same exec, so they are almost always
 * resident; a fault is flagged.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct process_exec_record *record;
	__u64 pid_tgid, uid_gid, start, end, room;
	const char *filename;
	long filename_size;
	__u32 key = 0, flags = 0;
	int argc;
	char last = 0;

	if (!is_in_charge() || emit_shed(CLASS_PROCESS_EXEC, VALUE_PROCESS_EXEC))
		return 0;
	record = bpf_map_lookup_elem(&scratch, &key);
	if (!record)
		return 0;

	pid_tgid = bpf_get_current_pid_tgid();
	uid_gid = bpf_get_current_uid_gid();
	argc = BPF_CORE_READ(bprm, argc);
	record->start_time_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	record->cgroup_id = bpf_get_current_cgroup_id();
	record->inode = BPF_CORE_READ(bprm, file, f_inode, i_ino);
	record->pid = pid_tgid >> 32;
	record->ppid = parent_of(task);
	record->uid = (__u32)uid_gid;
	record->gid = uid_gid >> 32;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	record->argc = argc < 0 ? 0 : argc > 65535 ? 65535 : argc;
	record->reserved = 0;

	filename = BPF_CORE_READ(bprm, filename);
	filename_size = bpf_probe_read_kernel_str(record->data, FILENAME_SIZE, filename);
	if (filename_size <= 0) {
		flags |= FLAG_READ_FAULT;
		filename_size = 1;
	}
	if (filename_size == FILENAME_SIZE) {
		bpf_probe_read_kernel(&last, 1, filename + FILENAME_SIZE - 1);
		if (last)
			flags |= FLAG_FILENAME_TRUNCATED;
	}
	/* The NUL is not sent. The mask restates for the verifier what the helper guarantees. */
	filename_size = (filename_size - 1) & (FILENAME_SIZE - 1);
	record->filename_length = filename_size;

	start = BPF_CORE_READ(task, mm, arg_start);
	end = BPF_CORE_READ(task, mm, arg_end);
	room = end > start ? end - start - 1 : 0; /* without the last NUL */
	if (room > ARGV_SIZE) {
		room = ARGV_SIZE;
		flags |= FLAG_ARGV_TRUNCATED;
	}
	barrier_var(room);
	if (room > ARGV_SIZE)
		room = ARGV_SIZE;
	if (bpf_probe_read_user(record->data + filename_size, room, (void *)start)) {
		flags |= FLAG_READ_FAULT;
		room = 0;
	}
	record->argv_length = room;

	emit_output(&record->header, CLASS_PROCESS_EXEC, sizeof(*record) + filename_size + room,
		    flags);
	return 0;
}

/*
 * sched_process_exit fires for every thread. A process is gone when its last thread is, which need
 * not be the leader: a leader may leave early, and an exec from another thread kills the leader
 * while the process lives on. do_exit() has decremented signal->live before the tracepoint, so the
 * last thread sees 0; on kernels where two last threads can both see it (the decrement and the
 * tracepoint are apart) the first to claim the process reports it. A single thread cannot race
 * with itself and skips the claim. Status as wait(2) gives it (kernel/exit.c: wait_task_zombie).
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct process_exit_record *record;
	struct signal_struct *signal;
	struct task_struct *leader;
	__u64 uid_gid, started, claim;
	__u32 seen = 1;
	int status;

	if (!is_in_charge())
		return 0;
	signal = BPF_CORE_READ(task, signal);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD || BPF_CORE_READ(signal, live.counter))
		return 0;
	leader = BPF_CORE_READ(task, group_leader);
	started = BPF_CORE_READ(leader, start_boottime);
	if (BPF_CORE_READ(signal, nr_threads) > 1) {
		claim = started ^ ((__u64)BPF_CORE_READ(task, tgid) << 40);
		if (bpf_map_update_elem(&gone, &claim, &seen, BPF_NOEXIST))
			return 0;
	}

	record = emit_reserve(CLASS_PROCESS_EXIT, VALUE_PROCESS_EXIT, sizeof(*record), 0);
	if (!record)
		return 0;
	uid_gid = bpf_get_current_uid_gid();
	status = BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT
		     ? BPF_CORE_READ(signal, group_exit_code)
		     : BPF_CORE_READ(leader, exit_code);
	record->cgroup_id = bpf_get_current_cgroup_id();
	record->lifetime_ns = record->header.time_ns - started;
	record->pid = BPF_CORE_READ(task, tgid);
	record->ppid = parent_of(leader);
	record->uid = (__u32)uid_gid;
	record->gid = uid_gid >> 32;
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), &leader->comm);
	record->exit_code = (status >> 8) & 0xff;
	record->exit_signal = status & 0x7f;
	record->core_dumped = status & CORE_DUMPED ? 1 : 0;
	record->reserved = 0;
	emit_submit(record);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
