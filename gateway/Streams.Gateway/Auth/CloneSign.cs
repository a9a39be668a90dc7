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

    /// <summary>One process under two kernels: no process outlives its kernel, so memory was copied.</summary>
    public const string EpochOfTwoBoots = "epoch_of_two_boots";

    /// <summary>The kernel before the last is here again, whose boot id is drawn anew with every boot: so two of them live.</summary>
    public const string BootsAlternate = "boots_alternate";

    /// <summary>The sign as a bounded label; null when there is none.</summary>
    /// <param name="last">The agent's newest session; null when the store knows none.</param>
    /// <param name="epoch">32 hex digits.</param>
    /// <param name="boot">32 hex digits; empty when the agent's kernel told none.</param>
    /// <param name="connectCounter">What the agent claims; at least 1.</param>
    public static string? Of(SessionRecord? last, string epoch, string boot, ulong connectCounter) => last switch
    {
        null => null,
        _ when connectCounter <= last.ConnectCounter => CounterBack,
        _ when epoch != last.Epoch && epoch == last.EpochBefore => EpochsAlternate,
        _ when boot.Length == 0 || last.Boot.Length == 0 || boot == last.Boot => null,
        _ when epoch == last.Epoch => EpochOfTwoBoots,
        _ when boot == last.BootBefore => BootsAlternate,
        _ => null,
    };
}
