using Streams.Agent.Configuration;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>When a batch is closed. Times in milliseconds.</summary>
internal sealed record BatchLimits(int Rows, int BusyAge, int QuietAge)
{
    /// <summary>
    /// A batch with this many rows is busy: below it a header of 88 bytes and a ledger weigh more than the rows do.
    /// </summary>
    public const int BusyRows = 64;

    /// <summary>A quiet batch is closed early when nothing came for this part of the quiet age: the burst is over, waiting gains nothing.</summary>
    private const int SilencePart = 10;

    public static BatchLimits Of(AgentConfiguration configuration) =>
        new(configuration.BatchRows, configuration.BatchBusyMilliseconds, configuration.BatchQuietMilliseconds);

    /// <summary>Milliseconds until a batch is due; 0 or less: now.</summary>
    /// <param name="age">Since its first row or loss.</param>
    /// <param name="silence">Since its last.</param>
    public long DueIn(int rows, long age, long silence) => rows >= BusyRows
        ? BusyAge - age
        : Math.Min(QuietAge - age, Math.Max(BusyAge, QuietAge / SilencePart) - silence);
}
