namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>How a sensor instance is made.</summary>
public sealed record SensorOptions
{
    /// <summary>Bytes of the ring, a power of two of at least a page. Pages that were used count as resident memory of the agent.</summary>
    /// <remarks>512 KiB hold 3,000 network or 1,500 exec records: 10 ms of 300,000 events a second.</remarks>
    public int RingBytes { get; init; } = 512 * 1024;

    /// <summary>
    /// 0: the kernel wakes the reader at the first record after it caught up (least delay). Otherwise only when this many
    /// bytes are waiting, and the timeout of the reader's wait bounds the delay (least CPU).
    /// </summary>
    /// <remarks>Waking costs the emitting process about 9 µs an exec on a 2-core virtual machine; hence not 0. Wait at most 200 ms then.</remarks>
    public uint WakeupBytes { get; init; } = 16 * 1024;

    /// <summary>Names the directory on the bpffs; one running sensor per name.</summary>
    public string Name { get; init; } = "sensor";

    /// <summary>Bytes of <see cref="Owner"/>.</summary>
    public const int OwnerBytes = 16;

    /// <summary>
    /// First 16 bytes of the agent's public key. An instance of another owner is removed and not taken over: its numbers are in the ledger
    /// of another installation.
    /// </summary>
    public ReadOnlyMemory<byte> Owner { get; init; } = new byte[OwnerBytes];

    /// <summary>The bpffs to pin on. Mounted when it is not.</summary>
    public string BpfFileSystem { get; init; } = LibbpfSharp.BpfFileSystem.DefaultPath;

    /// <summary>Where a private bpffs is mounted when that cannot be.</summary>
    public string RuntimeDirectory { get; init; } = "/run/streams";
}
