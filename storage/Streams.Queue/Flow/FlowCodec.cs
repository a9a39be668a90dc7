using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Streams.Schema;

namespace Streams.Queue;

/// <summary>Why a flow message was refused; also a metric label.</summary>
public enum FlowError : byte
{
    None = 0,
    TooLarge,
    Truncated,
    UnknownKind,
    BadAgentId,
}

/// <summary>
/// Flow messages: records end to end, little-endian: kind u8, agent id (length u8, bytes), epoch 16 bytes, lane u32, n u32.
/// </summary>
public static class FlowCodec
{
    /// <summary>Largest message, bytes: some 700 records at the longest agent id; more records go into more messages.</summary>
    public const int MaxMessage = 64 * 1024;

    /// <summary>Largest record, bytes.</summary>
    public const int MaxRecord = 1 + 1 + MaxAgentId + Epoch.Size + 4 + 4;

    /// <summary>Between the agents of a question.</summary>
    public const char AgentSeparator = '\n';

    private const int MaxAgentId = 64;
    private const int Fixed = Epoch.Size + 4 + 4;

    /// <summary>Appends one record.</summary>
    /// <exception cref="ArgumentException">The agent id is none.</exception>
    public static void Write(IBufferWriter<byte> destination, in FlowRecord record)
    {
        if (!Subjects.IsAgentId(record.AgentId))
            throw new ArgumentException("Not an agent id.", nameof(record));
        var length = record.AgentId.Length;
        var span = destination.GetSpan(2 + length + Fixed);
        span[0] = (byte)record.Kind;
        span[1] = (byte)length;
        Encoding.ASCII.GetBytes(record.AgentId, span[2..]);
        var rest = span[(2 + length)..];
        record.Epoch.Write(rest);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[Epoch.Size..], record.Lane);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[(Epoch.Size + 4)..], record.N);
        destination.Advance(2 + length + Fixed);
    }

    /// <summary>Reads a whole message; on an error nothing was added.</summary>
    public static FlowError TryRead(ReadOnlySpan<byte> message, List<FlowRecord> records)
    {
        if (message.Length > MaxMessage)
            return FlowError.TooLarge;
        var before = records.Count;
        while (message.Length > 0)
        {
            var error = TryReadOne(ref message, out var record);
            if (error != FlowError.None)
            {
                records.RemoveRange(before, records.Count - before);
                return error;
            }

            records.Add(record);
        }

        return FlowError.None;
    }

    /// <summary>Ends the answer to a question of several agents: how many of them, from the first on, the records before it are of.</summary>
    /// <param name="answered">1 to 255.</param>
    public static void EndAnswer(IBufferWriter<byte> destination, int answered)
    {
        destination.GetSpan(1)[0] = (byte)answered;
        destination.Advance(1);
    }

    /// <summary>Reads the answer to a question of <paramref name="asked"/> agents; on an error nothing was added.</summary>
    public static FlowError TryReadAnswer(ReadOnlySpan<byte> answer, int asked, List<FlowRecord> records, out int answered)
    {
        answered = asked;
        if (asked > 1)
        {
            if (answer.IsEmpty)
            {
                answered = 0;
                return FlowError.Truncated;
            }

            answered = Math.Min((int)answer[^1], asked);
            answer = answer[..^1];
        }

        var error = TryRead(answer, records);
        if (error != FlowError.None)
            answered = 0;
        return error;
    }

    private static FlowError TryReadOne(ref ReadOnlySpan<byte> message, out FlowRecord record)
    {
        record = default;
        if (message.Length < 2)
            return FlowError.Truncated;
        if (message[0] is not (>= (byte)FlowKind.Watermark and <= (byte)FlowKind.Hold))
            return FlowError.UnknownKind;
        var length = message[1];
        if (length is 0 or > MaxAgentId)
            return FlowError.BadAgentId;
        if (message.Length < 2 + length + Fixed)
            return FlowError.Truncated;
        Span<char> agent = stackalloc char[length];
        // Latin-1 keeps every byte a character of its own, so what is not ASCII fails the check.
        Encoding.Latin1.GetChars(message.Slice(2, length), agent);
        if (!Subjects.IsAgentId(agent))
            return FlowError.BadAgentId;
        var rest = message[(2 + length)..];
        record = new FlowRecord(
            (FlowKind)message[0],
            new string(agent),
            Epoch.Read(rest),
            BinaryPrimitives.ReadUInt32LittleEndian(rest[Epoch.Size..]),
            BinaryPrimitives.ReadUInt32LittleEndian(rest[(Epoch.Size + 4)..]));
        message = rest[Fixed..];
        return FlowError.None;
    }
}
