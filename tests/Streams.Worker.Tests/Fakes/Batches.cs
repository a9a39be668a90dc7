using System.Text;
using Streams.Schema;
using Streams.Worker.Admission;
using Streams.Worker.Decode;

namespace Streams.Worker.Tests.Fakes;

/// <summary>Real batches of process_exec, made by the agent's own builder.</summary>
internal static class Batches
{
    public const long Noon = 1_790_000_000_000_000 / 86_400_000_000 * 86_400_000_000 + 43_200_000_000;

    public static EventClass Exec { get; } = Catalogue.TryGet("process_exec", out var found)
        ? found
        : throw new InvalidOperationException();

    public static Epoch EpochOf(ulong value)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], ~value);
        return Epoch.Read(bytes);
    }

    /// <summary>
    /// Seals <paramref name="rows"/> rows whose <c>seq</c> starts at <paramref name="seq"/>; <paramref name="lost"/> rows before
    /// them are lost.
    /// </summary>
    public static byte[] Seal(
        BatchName name, int rows, ulong seq, uint lost = 0, ushort cpu = 0, BatchCompression compression = BatchCompression.Zstd)
    {
        using var builder = new BatchBuilder(Exec, new BuilderOptions { MaxRows = Math.Max(rows, 1), MaxBytes = Limits.MaxDecodedBytes });
        for (var i = 0; i < rows; i++)
        {
            AppendExec(builder, name, seq + lost + (ulong)i, cpu);
        }

        LossCount[] losses = lost == 0 ? [] : [new LossCount(LossCause.RingFull, lost)];
        if (!builder.TryAddLedger(cpu, seq, seq + lost + (ulong)rows - 1, (uint)rows, losses))
        {
            throw new InvalidOperationException("the ledger entry was refused");
        }

        var bytes = new byte[builder.MaxSealedBytes];
        var length = builder.Seal(name, new BatchStamp(name.Epoch, 12345), compression, bytes);
        return bytes[..length];
    }

    /// <summary>A batch without rows that accounts for a range: what an agent sends for a batch it no longer has.</summary>
    public static byte[] Tombstone(BatchName name, ulong first, ulong last, ulong ringFull, ulong evicted, ushort cpu)
    {
        using var builder = new BatchBuilder(Exec, new BuilderOptions { MaxRows = 1, MaxBytes = Limits.MaxDecodedBytes });
        LossCount[] losses = [new(LossCause.RingFull, ringFull), new(LossCause.SpoolEvicted, evicted)];
        if (!builder.TryAddLedger(cpu, first, last, 0, losses))
        {
            throw new InvalidOperationException("the ledger entry was refused");
        }

        var bytes = new byte[builder.MaxSealedBytes];
        return bytes[..builder.Seal(name, new BatchStamp(name.Epoch, 12345), BatchCompression.None, bytes)];
    }

    /// <summary>One message of consecutive batches.</summary>
    public static IncomingMessage Message(
        ulong sequence,
        Epoch epoch,
        uint lane,
        uint first,
        uint count,
        int rows = 10,
        ulong generation = 1,
        string agent = "agent-1",
        long receivedAt = Noon)
    {
        var payload = new List<byte>();
        for (uint i = 0; i < count; i++)
        {
            payload.AddRange(Seal(new BatchName(epoch, lane, first + i), rows, ((ulong)(first + i) * (ulong)rows) + 1));
        }

        return new IncomingMessage(
            sequence, new MessageHead(agent, "host-1", epoch, lane, first, count, generation, receivedAt), payload.ToArray());
    }

    /// <summary>A decoded batch out of a pool, as the range builder and the inserter see it.</summary>
    public static StagedBatch Staged(
        BatchPool pool,
        uint n,
        int rows = 10,
        string agent = "agent-1",
        ulong epoch = 7,
        uint lane = 1,
        long receivedAt = Noon,
        uint lost = 0)
    {
        var name = new BatchName(EpochOf(epoch), lane, n);
        var staged = pool.Rent();
        staged.Name = name;
        staged.Keep(Seal(name, rows, ((ulong)n * (ulong)rows) + 1, lost));
        if (!BatchDecoder.TryDecode(staged.Received, staged.Decoded, out var error))
        {
            throw new InvalidOperationException(error.ToString());
        }

        staged.Head = new MessageHead(agent, "host-1", name.Epoch, lane, n, 1, 1, receivedAt);
        return staged;
    }

    private static void AppendExec(BatchBuilder builder, BatchName name, ulong seq, ushort cpu)
    {
        var argv = Encoding.UTF8.GetBytes($"/bin/true\0--n={name.N}\0--seq={seq}");
        if (!builder.TryBeginRow(argv.Length))
        {
            throw new InvalidOperationException("the builder is full");
        }

        builder.SetClaim(Noon + (long)seq, seq, cpu, 3, 0);
        builder.SetUInt32(Exec.OrdinalOf("pid"), (uint)(1000 + seq));
        builder.SetUInt32(Exec.OrdinalOf("ppid"), 1);
        builder.SetUInt32(Exec.OrdinalOf("uid"), 1001);
        builder.SetUInt32(Exec.OrdinalOf("gid"), 1002);
        builder.SetUInt64(Exec.OrdinalOf("cgroup_id"), 77);
        builder.SetUInt64(Exec.OrdinalOf("inode"), 88);
        builder.TrySetDictionary(Exec.OrdinalOf("comm"), "true"u8);
        builder.TrySetDictionary(Exec.OrdinalOf("filename"), Encoding.UTF8.GetBytes($"/bin/true{seq % 7}"));
        builder.TrySetString(Exec.OrdinalOf("argv"), argv);
        builder.SetUInt16(Exec.OrdinalOf("argc"), 3);
        builder.SetTime(Exec.OrdinalOf("start_time"), Noon + (long)seq - 5);
        builder.EndRow();
    }
}
