using System.Text;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Host.Fleet;

/// <summary>
/// The list of revoked certificates, kept beside the root that signs it: a queue that was lost, or came back from an older copy, must not
/// have a certificate forgotten. A serial leaves it <see cref="Grace"/> after its certificate has ended, which keeps the list below its bound.
/// </summary>
internal sealed class RevokedCertificates(FleetKeys keys)
{
    /// <summary>Hosts' clocks may be behind by as much and still refuse the certificate by its date.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(30);

    private const string Queue = "the queue's list of revoked certificates";
    private const string Mend = "restore it from a copy, or remove it";

    /// <summary>Signs what is revoked here and in the queue together with one serial more, and keeps it.</summary>
    /// <param name="root">Signs.</param>
    /// <param name="serial">Serial of the certificate.</param>
    /// <param name="queued">The list that the queue has, as text; null when it has none.</param>
    /// <param name="now">The time of the statement.</param>
    /// <exception cref="CommandFailure">A list cannot be read, or is full; nothing was changed.</exception>
    public RevocationList Revoke(SigningKey root, ulong serial, string? queued, DateTimeOffset now)
    {
        var kept = File.Exists(keys.RevocationsFile) ? Parse(keys.RevocationsFile, File.ReadAllText(keys.RevocationsFile)) : null;
        var other = queued is null ? null : Parse(Queue, queued);
        // Who can write to the queue must not have others' certificates revoked. What is kept here needs no signature: the root's key lies beside it.
        if (other is not null && other.Serials.Any(known => kept?.Contains(known) is not true) && !keys.SignersOfLists().Any(other.IsSignedBy))
        {
            throw new CommandFailure($"{Queue}: no fleet root of this directory has signed it; {Mend}");
        }
        ulong[] serials = [.. (kept?.Serials ?? []).Concat(other?.Serials ?? []).Append(serial).Distinct().Where(known => known == serial || !HasEnded(known, now))];
        if (serials.Length > RevocationList.MaxSerials)
        {
            throw new CommandFailure($"{RevocationList.MaxSerials} serials are revoked already; change the fleet root instead: streams keys root");
        }
        // Above the clock too: agents may know a list that both this directory and the queue have lost.
        var version = Math.Max(Math.Max(kept?.Version ?? 0, other?.Version ?? 0) + 1, (ulong)now.ToUnixTimeSeconds());
        var list = RevocationList.Create(root, version, now.ToUnixTimeSeconds(), serials);
        SecretFile.Write(keys.RevocationsFile, Encoding.ASCII.GetBytes(list.ToText() + "\n"));
        return list;
    }

    private bool HasEnded(ulong serial, DateTimeOffset now) =>
        keys.Serials.EndOf(serial) is { } end && now.ToUnixTimeSeconds() > end + (long)Grace.TotalSeconds;

    private static RevocationList Parse(string where, string text) => RevocationList.TryParseText(text, out var list)
        ? list : throw new CommandFailure($"{where}: not a signed list of serials, and what it revoked would be forgotten; {Mend}");
}
