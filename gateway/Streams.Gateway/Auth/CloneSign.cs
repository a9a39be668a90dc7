using Streams.Queue;

namespace Streams.Gateway.Auth;

/// <summary>
/// Whether a session looks like that of a copy of its agent: a cloned machine, or a directory restored from an older copy. Both go on, each
/// under its own epochs, so nothing of either is lost or overwritten; the operator is told, because two hosts under one name is nothing to
/// leave so.
/// </summary>
internal static class CloneSign
{
    /// <summary>The connect counter, which is durable before it is used, did not grow.</summary>
    public const string CounterBack = "counter_back";

    /// <summary>The process before the last is here again, so two of them live.</summary>
    public const string EpochsAlternate = "epochs_alternate";

    /// <summary>The sign as a bounded label; null when there is none.</summary>
    /// <param name="last">The agent's newest session; null when the store knows none.</param>
    /// <param name="epoch">32 hex digits.</param>
    /// <param name="connectCounter">What the agent claims; at least 1.</param>
    public static string? Of(SessionRecord? last, string epoch, ulong connectCounter) => last switch
    {
        null => null,
        _ when connectCounter <= last.ConnectCounter => CounterBack,
        _ when epoch != last.Epoch && epoch == last.EpochBefore => EpochsAlternate,
        _ => null,
    };
}
