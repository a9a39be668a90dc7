using System.Text;

namespace Streams.Wire.Messages;

/// <summary>State of an agent's module. Numbers are append only.</summary>
public enum ModuleState : byte
{
    Stopped = 0,
    Starting = 1,
    Running = 2,
    Degraded = 3,
    Failed = 4,
}

/// <summary><c>name str8 (≤ 32) ‖ state u8 ‖ rss u32 (KiB) ‖ cpu u32 (permille of one core since the last heartbeat) ‖ restarts
/// u16</c>.</summary>
public readonly record struct ModuleReport(string Name, ModuleState State, uint RssKib, uint CpuPermille, ushort Restarts);

/// <summary>Sums over all CPUs since the sensor's start: <c>class u16 ‖ stamped u64 ‖ filtered u64 ‖ missed u64</c>.</summary>
public readonly record struct LedgerReport(ushort ClassId, ulong Stamped, ulong Filtered, ulong Missed);

/// <summary>
/// Heartbeat (4), agent to gateway: <c>sent_at u64 (Unix µs) ‖ policy_generation u64 ‖ load u16 (1-minute load × 100, saturating) ‖ cpu
/// u16 (permille of all cores) ‖
/// memory u16 (permille used) ‖ retained u32 (bytes not committed) ‖ lanes u16 (not wholly committed) ‖ modules (count u8, entries) ‖
/// ledger (count u8, entries)</c>.
/// </summary>
public sealed record HeartbeatMessage
{
    private const int FixedBytes = 8 + 8 + 2 + 2 + 2 + 4 + 2 + 1 + 1;
    private const int LedgerBytes = 26;

    /// <summary>Room that any heartbeat fits in.</summary>
    public const int MaxBytes = FixedBytes + Limits.MaxModules * (1 + Limits.MaxModuleNameBytes + 11) + Limits.MaxLedgerEntries * LedgerBytes;

    public ulong SentAt { get; init; }

    public ulong PolicyGeneration { get; init; }

    public ushort LoadHundredths { get; init; }

    public ushort CpuPermille { get; init; }

    public ushort MemoryPermille { get; init; }

    public uint RetainedBytes { get; init; }

    public ushort Lanes { get; init; }

    public IReadOnlyList<ModuleReport> Modules { get; init; } = [];

    public IReadOnlyList<LedgerReport> Ledger { get; init; } = [];

    /// <returns>Length of the payload.</returns>
    public int Write(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Modules.Count, Limits.MaxModules);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Ledger.Count, Limits.MaxLedgerEntries);
        var writer = new WireWriter(destination);
        writer.U64(SentAt);
        writer.U64(PolicyGeneration);
        writer.U16(LoadHundredths);
        writer.U16(CpuPermille);
        writer.U16(MemoryPermille);
        writer.U32(RetainedBytes);
        writer.U16(Lanes);
        writer.U8((byte)Modules.Count);
        for (var i = 0; i < Modules.Count; i++)
        {
            var module = Modules[i];
            ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(module.Name), Limits.MaxModuleNameBytes);
            var length = Encoding.UTF8.GetByteCount(module.Name);
            writer.U8((byte)length);
            Encoding.UTF8.GetBytes(module.Name, writer.Reserve(length));
            writer.U8((byte)module.State);
            writer.U32(module.RssKib);
            writer.U32(module.CpuPermille);
            writer.U16(module.Restarts);
        }

        writer.U8((byte)Ledger.Count);
        for (var i = 0; i < Ledger.Count; i++)
        {
            var entry = Ledger[i];
            writer.U16(entry.ClassId);
            writer.U64(entry.Stamped);
            writer.U64(entry.Filtered);
            writer.U64(entry.Missed);
        }

        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out HeartbeatMessage? message)
    {
        message = null;
        var reader = new WireReader(payload);
        var head = new HeartbeatMessage
        {
            SentAt = reader.U64(),
            PolicyGeneration = reader.U64(),
            LoadHundredths = reader.U16(),
            CpuPermille = reader.U16(),
            MemoryPermille = reader.U16(),
            RetainedBytes = reader.U32(),
            Lanes = reader.U16(),
        };
        if (!TryReadModules(ref reader, out var modules) || !TryReadLedger(ref reader, out var ledger) || !reader.AtEnd)
        {
            return false;
        }

        message = head with { Modules = modules, Ledger = ledger };
        return true;
    }

    private static bool TryReadModules(ref WireReader reader, out ModuleReport[] modules)
    {
        modules = [];
        int count = reader.U8();
        if (reader.Failed || count > Limits.MaxModules)
        {
            return false;
        }

        modules = new ModuleReport[count];
        for (var i = 0; i < count; i++)
        {
            var name = reader.Str8(Limits.MaxModuleNameBytes);
            var state = (ModuleState)reader.U8();
            if (reader.Failed || !WireText.IsClean(name) || state > ModuleState.Failed)
            {
                return false;
            }

            modules[i] = new ModuleReport(Encoding.UTF8.GetString(name), state, reader.U32(), reader.U32(), reader.U16());
        }

        return !reader.Failed;
    }

    private static bool TryReadLedger(ref WireReader reader, out LedgerReport[] ledger)
    {
        ledger = [];
        int count = reader.U8();
        if (reader.Failed || count > Limits.MaxLedgerEntries || reader.Remaining != count * LedgerBytes)
        {
            return false;
        }

        ledger = new LedgerReport[count];
        for (var i = 0; i < count; i++)
        {
            ledger[i] = new LedgerReport(reader.U16(), reader.U64(), reader.U64(), reader.U64());
        }

        return true;
    }
}
