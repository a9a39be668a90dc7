// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * TCP connections: opened by this host, accepted by it, closed.
 *
 * inet_sock_set_state fires on every change of state, mostly in softirq, where the current process
 * is whoever was interrupted. So the owner is taken where the process itself acts (connect() moves
 * a socket to SYN_SENT, listen() to LISTEN) and kept in socket storage: it lives and dies with the
 * socket, needs no bound or eviction, and BPF_F_CLONE copies a listener's to the sockets it
 * accepts. An accepted socket is therefore attributed to the process that called listen(): the
 * kernel offers no cheap hook at accept() itself, and at the handshake no one has accepted yet.
 *
 * The cgroup filter is evaluated once per socket at the same place, and over all ancestors; for
 * sockets older than the sensor the socket's own cgroup (sk_cgrp_data) is walked instead.
 */
#include "emit.h"
#include <bpf/bpf_endian.h>

#define ROLE_NONE    0
#define ROLE_ACTIVE  1
#define ROLE_PASSIVE 2
#define SOCK_DONE    1 /* include/net/sock.h, enum sock_flags: a FIN was received */

struct socket_owner {
	__u64 cgroup_id;
	__u64 began_ns;
	__u64 established_ns;
	__u32 pid;
	__u32 uid;
	__u32 flags;
	__u8 role;
	__u8 filtered;
	__u8 reserved[2];
	char comm[COMM_SIZE];
};

/* Pinned with the instance's maps: the owners outlive an agent as its sockets do. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_owner);
} owners SEC(".maps");

struct network_connect_record *unused_connect __attribute__((unused));
struct network_accept_record *unused_accept __attribute__((unused));
struct network_close_record *unused_close __attribute__((unused));

/* Walks parents through css, whose layout is older and steadier than cgroup.ancestors. */
static __always_inline bool is_excluded(struct cgroup *cgroup)
{
	struct sensor_control *word = control_word();

	if (!word || !word->excluded_cgroups)
		return false;
	for (int depth = 0; depth < CGROUP_DEPTH && cgroup; depth++) {
		struct cgroup_subsys_state *parent;
		__u64 id = BPF_CORE_READ(cgroup, kn, id);

		if (bpf_map_lookup_elem(&excluded, &id))
			return true;
		parent = BPF_CORE_READ(cgroup, self.parent);
		if (!parent)
			return false;
		cgroup = (void *)((char *)parent - bpf_core_field_offset(struct cgroup, self));
	}
	return false;
}

static __always_inline struct cgroup *cgroup_of_socket(const struct sock *sk)
{
	/* Before 5.15 the pointer was packed into a word with other meanings. */
	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return 0;
	return BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
}

static __always_inline void fill_owner(struct socket_owner *owner, struct task_struct *task,
				       __u8 role, __u32 flags)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	owner->cgroup_id = BPF_CORE_READ(cgroup, kn, id);
	owner->began_ns = bpf_ktime_get_boot_ns();
	owner->established_ns = 0;
	owner->pid = BPF_CORE_READ(task, tgid);
	owner->uid = BPF_CORE_READ(task, cred, uid.val);
	owner->flags = flags;
	owner->role = role;
	owner->filtered = is_excluded(cgroup);
	bpf_probe_read_kernel(owner->comm, sizeof(owner->comm), &leader->comm);
}

static __always_inline bool is_v4_mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

static __always_inline void map_v4(__u8 *address, __be32 v4)
{
	__u32 *words = (__u32 *)address;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = v4;
}

/* owner may be NULL: the socket is older than the sensor and no open file led to it. */
static __always_inline void fill_endpoint(struct network_endpoint *endpoint, const struct sock *sk,
					  struct socket_owner *owner)
{
	endpoint->socket_cookie = bpf_get_socket_cookie((void *)sk);
	/* inet_sport, not skc_num: the latter is cleared when a failed connect gives its port back,
	 * which is before the state changes (net/ipv4/tcp.c: tcp_set_state). */
	endpoint->local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	endpoint->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&endpoint->local_address, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&endpoint->remote_address, sk, __sk_common.skc_v6_daddr);
		endpoint->family = is_v4_mapped(endpoint->remote_address) ? AF_INET : AF_INET6;
	} else {
		map_v4(endpoint->local_address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_v4(endpoint->remote_address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		endpoint->family = AF_INET;
	}
	endpoint->reserved[0] = 0;
	endpoint->reserved[1] = 0;
	endpoint->reserved[2] = 0;
	if (owner) {
		endpoint->cgroup_id = owner->cgroup_id;
		endpoint->pid = owner->pid;
		endpoint->uid = owner->uid;
		__builtin_memcpy(endpoint->comm, owner->comm, sizeof(endpoint->comm));
	} else {
		struct cgroup *cgroup = cgroup_of_socket(sk);

		endpoint->cgroup_id = cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
		endpoint->pid = 0;
		endpoint->uid = 0;
		__builtin_memset(endpoint->comm, 0, sizeof(endpoint->comm));
	}
}

static __always_inline bool is_filtered(const struct sock *sk, struct socket_owner *owner)
{
	return owner ? owner->filtered : is_excluded(cgroup_of_socket(sk));
}

static __always_inline __u32 flags_of(struct socket_owner *owner)
{
	return owner ? owner->flags : FLAG_ORIGIN_UNKNOWN | FLAG_START_UNKNOWN;
}

static __always_inline void emit_connect(const struct sock *sk, struct socket_owner *owner,
					 __u8 state)
{
	struct network_connect_record *record;

	if (is_filtered(sk, owner)) {
		count_filtered(CLASS_NETWORK_CONNECT);
		return;
	}
	record = emit_reserve(CLASS_NETWORK_CONNECT, VALUE_NETWORK_CONNECT, sizeof(*record),
			      flags_of(owner));
	if (!record)
		return;
	fill_endpoint(&record->endpoint, sk, owner);
	record->latency_ns = owner ? record->header.time_ns - owner->began_ns : 0;
	record->state = state;
	__builtin_memset(record->reserved, 0, sizeof(record->reserved));
	emit_submit(record);
}

static __always_inline void emit_accept(const struct sock *sk, struct socket_owner *owner)
{
	struct network_accept_record *record;

	if (is_filtered(sk, owner)) {
		count_filtered(CLASS_NETWORK_ACCEPT);
		return;
	}
	record = emit_reserve(CLASS_NETWORK_ACCEPT, VALUE_NETWORK_ACCEPT, sizeof(*record),
			      owner ? owner->flags & ~FLAG_START_UNKNOWN : FLAG_ORIGIN_UNKNOWN);
	if (!record)
		return;
	fill_endpoint(&record->endpoint, sk, owner);
	emit_submit(record);
}

static __always_inline void emit_close(const struct sock *sk, struct socket_owner *owner)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	struct network_close_record *record;
	__u64 received;

	if (is_filtered(sk, owner)) {
		count_filtered(CLASS_NETWORK_CLOSE);
		return;
	}
	record = emit_reserve(CLASS_NETWORK_CLOSE, VALUE_NETWORK_CLOSE, sizeof(*record),
			      flags_of(owner));
	if (!record)
		return;
	fill_endpoint(&record->endpoint, sk, owner);
	record->bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
	/* bytes_received follows rcv_nxt, in which a FIN takes one number (tcp_rcv_nxt_update). */
	received = BPF_CORE_READ(tcp, bytes_received);
	if (received && BPF_CORE_READ(sk, __sk_common.skc_flags) & (1ul << SOCK_DONE))
		received--;
	record->bytes_received = received;
	record->duration_ns =
	    owner && owner->established_ns ? record->header.time_ns - owner->established_ns : 0;
	emit_submit(record);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *sk, int oldstate, int newstate)
{
	struct socket_owner *owner;

	if (!is_in_charge() || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;

	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN) {
		owner = bpf_sk_storage_get(&owners, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (owner)
			fill_owner(owner, (void *)bpf_get_current_task(),
				   newstate == TCP_LISTEN ? ROLE_PASSIVE : ROLE_ACTIVE, 0);
		return 0;
	}
	if (newstate != TCP_ESTABLISHED && newstate != TCP_CLOSE)
		return 0;

	owner = bpf_sk_storage_get(&owners, (void *)sk, 0, 0);
	if (owner && owner->role == ROLE_NONE)
		owner = 0;

	if (newstate == TCP_ESTABLISHED) {
		bool active = owner ? owner->role == ROLE_ACTIVE : oldstate == TCP_SYN_SENT;

		if (active)
			emit_connect(sk, owner, 1);
		else
			emit_accept(sk, owner);
		if (owner) {
			owner->established_ns = bpf_ktime_get_boot_ns();
			owner->flags &= ~FLAG_START_UNKNOWN;
		}
		return 0;
	}

	/* TCP_CLOSE. A socket that never got further than its handshake was a failed connect, or a
	 * passive one that nobody saw. */
	if (oldstate == TCP_SYN_SENT ||
	    (oldstate == TCP_SYN_RECV && owner && owner->role == ROLE_ACTIVE))
		emit_connect(sk, owner, 0);
	else if (oldstate != TCP_LISTEN && oldstate != TCP_SYN_RECV && oldstate != TCP_CLOSE)
		emit_close(sk, owner);
	if (owner)
		owner->role = ROLE_NONE; /* the socket may connect again */
	return 0;
}

/*
 * Run once by the agent after attaching: gives an owner to the TCP sockets that are open already,
 * so that a server older than the sensor is named in what it accepts. The first process that holds
 * a shared socket is named.
 */
SEC("iter/task_file")
int seed_owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct socket_owner *owner;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;
	__u8 state;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_CLOSE)
		return 0;
	if (bpf_sk_storage_get(&owners, sk, 0, 0))
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner)
		fill_owner(owner, task, state == TCP_SYN_SENT ? ROLE_ACTIVE : ROLE_PASSIVE,
			   FLAG_SEEDED | (state == TCP_LISTEN ? 0 : FLAG_START_UNKNOWN));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
