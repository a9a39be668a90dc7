/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The only definition of what crosses the kernel boundary: records in the ring and the values of
 * the shared maps. The C# mirrors in Streams.Agent/Modules/Observability/Sensor are compared with
 * the BTF of the compiled objects in a test and again at agent start.
 *
 * Rules: append only inside one EVENTS_LAYOUT, explicit padding, natural alignment, host byte
 * order, ports in host order, addresses in network order with IPv4 as ::ffff:a.b.c.d, times in
 * nanoseconds of CLOCK_BOOTTIME (the clock that counts suspend), durations in nanoseconds.
 */
#ifndef STREAMS_EVENTS_H
#define STREAMS_EVENTS_H

/* Raised when a record or map value changes shape, or the definition of a pinned map. Stored in the
 * sensor instance: a reader of another layout must not read a ring it finds. It can still count
 * what is in it, so these never change: struct sensor_instance, and the members seq and lost of
 * struct class_slot with its size. */
#define EVENTS_LAYOUT 2

/* Class ids are those of Streams.Schema's catalogue. Slots are indexed by them. */
#define CLASS_PROCESS_EXEC    1
#define CLASS_PROCESS_EXIT    2
#define CLASS_NETWORK_CONNECT 3
#define CLASS_NETWORK_ACCEPT  4
#define CLASS_NETWORK_CLOSE   5
#define CLASS_SLOTS	      64

/* Value of a class to the operator. Shedding raises a level: every class whose value is below it
 * counts LOST_SHED instead of emitting, so the least valuable goes first. */
#define VALUE_NETWORK_CLOSE   10
#define VALUE_NETWORK_ACCEPT  20
#define VALUE_PROCESS_EXIT    30
#define VALUE_NETWORK_CONNECT 40
#define VALUE_PROCESS_EXEC    50

/* Index into lost[]. The numbers plus one are Streams.Schema's LossCause. */
#define LOST_RING_FULL	  0
#define LOST_RATE_LIMITED 1
#define LOST_SHED	  2
#define LOST_READ_FAULT	  3
#define LOST_CAUSES	  4

/* record_header.flags */
#define FLAG_ARGV_TRUNCATED	(1u << 0)
#define FLAG_FILENAME_TRUNCATED (1u << 1)
#define FLAG_READ_FAULT		(1u << 2) /* a user page was not resident: argv is incomplete */
#define FLAG_ORIGIN_UNKNOWN	(1u << 3) /* socket older than the sensor: pid, uid, comm unknown */
#define FLAG_START_UNKNOWN	(1u << 4) /* socket older than the sensor: duration, latency 0 */
#define FLAG_SEEDED		(1u << 5) /* owner found by the scan of open files at start */

#define COMM_SIZE	 16
#define FILENAME_SIZE	 512  /* with the terminating NUL */
#define ARGV_SIZE	 4096 /* longer command lines are cut and flagged */
#define CGROUP_DEPTH	 16   /* ancestors looked at by the exclusion filter */
#define EXCLUDED_CGROUPS 64

/* First in every record. lost[] holds the cumulative counters of this (class, cpu), read after
 * seq was taken, so they cover every loss numbered below seq (see emit.h). */
struct record_header {
	__u64 time_ns;
	__u64 seq; /* 1, 2, 3 ... per (class, cpu) for the life of the sensor instance */
	__u64 policy_generation;
	__u64 lost[LOST_CAUSES];
	__u32 flags;
	__u16 class;
	__u16 cpu;
};

/* Variable length: data holds filename_length bytes of the path given to execve, then argv_length
 * bytes of argv with one NUL between two arguments and none after the last. */
struct process_exec_record {
	struct record_header header;
	__u64 start_time_ns; /* of the process, not of the exec */
	__u64 cgroup_id;
	__u64 inode;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	char comm[COMM_SIZE];
	__u16 argc; /* 65535 when there are more */
	__u16 filename_length;
	__u16 argv_length;
	__u16 reserved;
	char data[];
};

struct process_exit_record {
	struct record_header header;
	__u64 cgroup_id;
	__u64 lifetime_ns;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	char comm[COMM_SIZE];
	__s32 exit_code;
	__u8 exit_signal;
	__u8 core_dumped;
	__u16 reserved;
};

/* Who a socket belongs to and what it connects. pid, uid, comm and cgroup_id are of the process
 * that called connect(), or listen() for accepted sockets. */
struct network_endpoint {
	__u64 cgroup_id;
	__u64 socket_cookie;
	__u8 local_address[16];
	__u8 remote_address[16];
	__u32 pid;
	__u32 uid;
	char comm[COMM_SIZE];
	__u16 local_port;
	__u16 remote_port;
	__u8 family; /* of the packets: 2 for IPv4, also on an IPv6 socket; 10 for IPv6 */
	__u8 reserved[3];
};

struct network_connect_record {
	struct record_header header;
	struct network_endpoint endpoint;
	__u64 latency_ns; /* SYN_SENT to ESTABLISHED, or to the failure */
	__u8 state;	  /* 1 established, 0 failed */
	__u8 reserved[7];
};

struct network_accept_record {
	struct record_header header;
	struct network_endpoint endpoint;
};

struct network_close_record {
	struct record_header header;
	struct network_endpoint endpoint;
	__u64 bytes_sent;     /* payload handed to the network, retransmissions not counted twice */
	__u64 bytes_received; /* payload, in order */
	__u64 duration_ns;    /* ESTABLISHED to CLOSE */
};

/* Value of the per-CPU map "slots", key = class. Each CPU's copy is that (class, cpu)'s own. */
struct class_slot {
	__u64 seq; /* numbers stamped so far: the ledger's S */
	__u64 lost[LOST_CAUSES];
	__u64 filtered; /* events of excluded cgroups: neither stamped nor lost */
	__u64 unseen;	/* events of a hand-over: neither stamped nor lost, reported as missed */
	__u64 reserved;
};

/* In sensor_control.active, beside a generation: its programs count events as unseen and stamp
 * none, while the agent takes stock between two generations. */
#define HAND_OVER (1u << 31)

/* Value of the array map "control", key 0. Written by the agent only, word by word through its own
 * mapping, so that a program never sees half of a word. */
struct sensor_control {
	__u64 policy_generation;
	__u32 shed_level;
	__u32 excluded_cgroups; /* entries of the map of that name; 0 skips the walk */
	__u32 wakeup_bytes;	/* 0: wake the reader as the kernel sees fit (it has caught up);
				 * else only when this much is waiting, the reader polls below it */
	__u32 active;		/* generation of the programs that stamp; 0: none */
	__u32 missed_up_to;	/* generation up to which missed[] holds what its programs missed */
	__u32 reserved;
	__u64 missed[CLASS_SLOTS]; /* events that programs of earlier generations could not see */
};

/* Value of the array map "instance", key 0. */
struct sensor_instance {
	__u8 epoch[16];
	__u32 layout;
	__u32 cpus;
	__u8 owner[16]; /* of the agent's key: whose ledger the numbers are in */
};

#endif
