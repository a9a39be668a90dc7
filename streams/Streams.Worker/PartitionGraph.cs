using Akka.Streams;
using Akka.Streams.Dsl;
using Streams.Worker.Decode;
using Streams.Worker.Ranges;

namespace Streams.Worker;

/// <summary>The shape of a partition's pipeline, apart from what it stands between: a measurement of the graph runs this one and no copy.</summary>
internal static class PartitionGraph
{
    /// <param name="read">The messages of the partition, in order.</param>
    /// <param name="intake">Admits and decodes; belongs to this run.</param>
    /// <param name="ranges">Makes the builder of the run.</param>
    /// <param name="openRanges">Ranges whose commits may be in flight at once.</param>
    /// <param name="commit">Commits a range and gives its last sequence.</param>
    /// <param name="committed">Told of each, in order.</param>
    public static IRunnableGraph<(UniqueKillSwitch Kill, Task Completion)> Create(
        Func<IAsyncEnumerable<IncomingMessage>> read,
        MessageIntake intake,
        Func<RangeBuilder> ranges,
        LingerClock clock,
        int openRanges,
        Func<BatchRange, Task<ulong>> commit,
        Action<ulong> committed) =>
        Source.From(read)
            .ViaMaterialized(KillSwitches.Single<IncomingMessage>(), Keep.Right)
            .Via(new IntakeStage(intake))
            .Via(new RangeStage(ranges, clock))
            .SelectAsync(openRanges, commit)
            .ToMaterialized(Sink.ForEach(committed), Keep.Both)
            .MapMaterializedValue(static ends => (ends.Item1, (Task)ends.Item2));
}
