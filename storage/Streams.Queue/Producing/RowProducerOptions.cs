namespace Streams.Queue.Producing;

/// <summary>Who produces rows, and how patiently.</summary>
public sealed record RowProducerOptions
{
    /// <summary>Role in the agent id: <c>gateway</c>, <c>worker</c>, <c>services</c>.</summary>
    public required string Role { get; init; }

    /// <summary>Name of the process or its host; see <see cref="RowProducer.IdOf"/>.</summary>
    public required string Name { get; init; }

    /// <summary>P of the queue.</summary>
    public required int Partitions { get; init; }

    /// <summary>
    /// How long rows wait for others of their burst. What comes while a message is under way, some tenths of a second until it is committed, is the next message, so that no load makes more parts than that.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>Without a watermark for this long the partition's owner is asked; the pause doubles up to 30 s.</summary>
    public TimeSpan Doubt { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause before a message that the queue refused is sent again.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);
}
