using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>Consecutive batches of one lane in a block.</summary>
public readonly record struct BatchRange(string AgentId, Epoch Epoch, uint Lane, uint First, uint Last);

/// <summary>
/// The deduplication token: SHA-256 of table, sorted batch names, lives and attempt, in hex. No stream sequence, partition number or
/// clock is in it, because those are issued again after a loss.
/// </summary>
public static class InsertToken
{
    /// <param name="lives">
    /// Random number of each pipeline life that has batches in the block, drawn at its recovery. A token is written before its rows: an
    /// earlier life may have left it without them, and a success under it would then be taken for a clean first one.
    /// </param>
    /// <param name="attempt">Raised only after a read-back found nothing of the attempt before.</param>
    public static string Compute(string table, IEnumerable<BatchRange> batches, IEnumerable<ulong> lives, int attempt)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendText(hash, table);
        var sorted = batches
            .OrderBy(b => b.AgentId, StringComparer.Ordinal).ThenBy(b => b.Epoch.Prefix).ThenBy(b => b.Epoch.Suffix)
            .ThenBy(b => b.Lane).ThenBy(b => b.First);
        Span<byte> name = stackalloc byte[Epoch.Size + 12];
        foreach (var batch in sorted)
        {
            AppendText(hash, batch.AgentId);
            batch.Epoch.Write(name);
            BinaryPrimitives.WriteUInt32BigEndian(name[16..], batch.Lane);
            BinaryPrimitives.WriteUInt32BigEndian(name[20..], batch.First);
            BinaryPrimitives.WriteUInt32BigEndian(name[24..], batch.Last);
            hash.AppendData(name);
        }

        foreach (var life in lives.Distinct().Order())
        {
            BinaryPrimitives.WriteUInt64BigEndian(name, life);
            hash.AppendData(name[..8]);
        }

        BinaryPrimitives.WriteInt32BigEndian(name, attempt);
        hash.AppendData(name[..4]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        hash.AppendData([(byte)(bytes.Length >> 8), (byte)bytes.Length]);
        hash.AppendData(bytes);
    }
}
