using Streams.Bench.Load;

namespace Streams.Bench.Cases;

/// <summary>What a case folder says: the load, what runs before it, what is measured beside the rows, and the bounds of the result.</summary>
internal sealed record CaseDefinition
{
    public required string Name { get; init; }

    public required string Title { get; init; }

    public required int Agents { get; init; }

    /// <summary>Load processes that the agents are spread over.</summary>
    public required int Processes { get; init; }

    /// <summary>Ingest partitions of the system.</summary>
    public required int Partitions { get; init; }

    public required MixOptions Mix { get; init; }

    public required bool Scheduled { get; init; }

    public required int SpoolMebibytes { get; init; }

    public required double FlushSeconds { get; init; }

    public required IReadOnlyList<Phase> Phases { get; init; }

    /// <summary>Rows to have in the tables before the load; 0 for none.</summary>
    public required long BeforeRows { get; init; }

    /// <summary>Rows a second at which they come, so that they are as old as those of a fleet; 0 for as fast as they are taken.</summary>
    public required double BeforeRate { get; init; }

    /// <summary>Seconds of the run that finds the capacity which phases are multiples of; 0 for none.</summary>
    public required double CapacitySeconds { get; init; }

    public required bool Latency { get; init; }

    public required bool Queries { get; init; }

    /// <summary>The result is what idle agents cost.</summary>
    public required bool Quiet { get; init; }

    /// <summary>Insert the same rows as prepared Native blocks afterwards, into the same engine.</summary>
    public required bool RawNative { get; init; }

    public required IReadOnlyList<Gate> Gates { get; init; }

    public double Seconds => Phases.Sum(static phase => phase.Seconds);

    /// <summary>Offers as much as is taken, without due times.</summary>
    public bool Max => Phases is [{ Kind: PhaseKind.Max }];

    /// <summary>The due times, given the capacity in events a second when phases are multiples of it.</summary>
    public IReadOnlyList<Segment> Segments(double capacity) => Max ? [] : [.. Phases.SelectMany(phase => phase.Segments(capacity))];
}
