namespace Streams.Schema;

/// <summary>Network family, stamped by the kernel probes. Addresses are IPv6, IPv4 mapped into it, so that one column serves both.</summary>
public static class NetworkClasses
{
    private const string Observability = "agent.observability";

    public static EventClass Connect { get; } = new(
        3, "network_connect", 1, PriorityClass.Event, Observability, EventProducer.Kernel,
        "An outgoing TCP connection was established or failed.",
        [
            .. Identity(),
            new Column(25, "state", ColumnType.UInt8, "1 established, 0 failed"),
            new Column(26, "latency_us", ColumnType.UInt64, "microseconds from SYN_SENT to the outcome"),
        ]);

    public static EventClass Accept { get; } = new(
        4, "network_accept", 1, PriorityClass.Event, Observability, EventProducer.Kernel,
        "An incoming TCP connection was established.",
        Identity());

    public static EventClass Close { get; } = new(
        5, "network_close", 1, PriorityClass.Event, Observability, EventProducer.Kernel,
        "A TCP connection ended.",
        [
            .. Identity(),
            new Column(25, "bytes_sent", ColumnType.UInt64, "payload bytes acknowledged by the peer"),
            new Column(26, "bytes_received", ColumnType.UInt64, "payload bytes received"),
            new Column(27, "duration_us", ColumnType.UInt64, "microseconds between established and closed"),
        ]);

    private static Column[] Identity() =>
    [
        new(16, "pid", ColumnType.UInt32, "process that owned the socket in process context, 0 if unknown"),
        new(17, "uid", ColumnType.UInt32, "effective user id of that process"),
        new(18, "cgroup_id", ColumnType.UInt64, "id of the cgroup v2"),
        new(19, "comm", ColumnType.Dictionary, "task name"),
        new(20, "family", ColumnType.UInt8, "2 for IPv4, 10 for IPv6"),
        new(21, "local_address", ColumnType.IPv6, "own address, IPv4 mapped"),
        new(22, "local_port", ColumnType.UInt16, "own port"),
        new(23, "remote_address", ColumnType.IPv6, "peer's address, IPv4 mapped"),
        new(24, "remote_port", ColumnType.UInt16, "peer's port"),
        new(28, "socket_cookie", ColumnType.UInt64, "the kernel's socket cookie, 0 when it gives none"),
    ];
}
