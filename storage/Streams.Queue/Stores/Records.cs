using System.Text.Json.Serialization;

namespace Streams.Queue;

/// <summary>Bucket `sessions`, key = agent id: the newest session of an agent. It stays when the session ends, so that the generation
/// never goes back.</summary>
/// <param name="Generation">Rises with each session, see <see cref="NextGeneration"/>; a message of a lower one is dropped by the
/// worker.</param>
/// <param name="Gateway">The gateway process that holds the session.</param>
/// <param name="Epoch">The agent's epoch, 32 hex digits.</param>
/// <param name="ConnectedAt">When it began.</param>
/// <param name="Host">The host's name.</param>
/// <param name="Address">Where it connected from.</param>
/// <param name="Sessions">How many sessions the agent had since the bucket was made.</param>
/// <param name="ConnectCounter">The agent's own count of its connections; it never goes back, unless there are two of it.</param>
/// <param name="EpochBefore">The epoch before <paramref name="Epoch"/>, empty if there was none.</param>
/// <param name="Clones">How many sessions looked like those of a copy of the agent.</param>
/// <param name="CloneSeenAt">When the last of those began.</param>
/// <param name="Boot">The boot id of the agent's kernel, 32 hex digits; empty if it was never told.</param>
/// <param name="BootBefore">The boot id before <paramref name="Boot"/>, empty if there was none.</param>
public sealed record SessionRecord(
    ulong Generation,
    string Gateway,
    string Epoch,
    DateTimeOffset ConnectedAt,
    string Host,
    string Address,
    ulong Sessions = 0,
    ulong ConnectCounter = 0,
    string EpochBefore = "",
    ulong Clones = 0,
    DateTimeOffset? CloneSeenAt = null,
    string Boot = "",
    string BootBefore = "")
{
    /// <summary>
    /// The generation of the session after <paramref name="last"/>: above it, and above the milliseconds since 1970, so that it does not
    /// fall back when the bucket was wiped. A clock that is behind then costs a session that the worker refuses until it starts anew.
    /// </summary>
    public static ulong NextGeneration(SessionRecord? last, DateTimeOffset now) =>
        Math.Max(last?.Generation ?? 0, (ulong)Math.Max(0, now.ToUnixTimeMilliseconds())) + 1;
}

/// <summary>Bucket `leases`: who may work.</summary>
/// <param name="Owner">Random id of the owner's process; empty after a release.</param>
/// <param name="DurationMs">How long the lease lasts from each renewal.</param>
/// <param name="Until">By the owner's clock; for people only, nobody decides by it.</param>
/// <param name="LastOwner">The last owner before a release: whose unfinished work a successor must end.</param>
public sealed record LeaseRecord(string Owner, long DurationMs, DateTimeOffset Until, string LastOwner);

/// <summary>Bucket `offsets`, key `partition.{p}`: where to read on. A cache that makes recovery cheap, never evidence of a
/// commit.</summary>
/// <param name="StreamCreated">The stream that the sequence belongs to.</param>
/// <param name="NextSequence">First sequence that is not committed.</param>
public sealed record OffsetRecord(DateTimeOffset StreamCreated, ulong NextSequence);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(IdentityRecord))]
[JsonSerializable(typeof(EnrolmentRecord))]
[JsonSerializable(typeof(RevocationRecord))]
[JsonSerializable(typeof(LeaseRecord))]
[JsonSerializable(typeof(OffsetRecord))]
[JsonSerializable(typeof(OperatorRecord))]
[JsonSerializable(typeof(CommandRecord))]
internal sealed partial class RecordsJson : JsonSerializerContext;
