namespace Streams.Bench.Wire;

/// <summary>What `wire` measured; `--json` writes it as one flat object.</summary>
internal sealed record WireReport
{
    /// <summary>Sessions begun per CPU-second of `streams serve` ÷ ideal (one verification, one signature, two X25519).</summary>
    public required double HandshakeRatio { get; init; }

    /// <summary>The same when 2,000 agents come at once.</summary>
    public required double Reconnect2000Ratio { get; init; }

    public required double Reconnect2000Seconds { get; init; }

    /// <summary>Attempts of them that were sent away for now; all came back.</summary>
    public required int Reconnect2000Refused { get; init; }

    /// <summary>Frames sealed and opened ÷ bare AEAD, by plaintext size.</summary>
    public required double FrameRatio1k { get; init; }

    public required double FrameRatio16k { get; init; }

    public required double FrameRatio64k { get; init; }

    /// <summary>Resident bytes of `streams serve` for each idle session.</summary>
    public required double IdleConnectionBytes { get; init; }

    /// <summary>÷ the same of a lean Kestrel echo.</summary>
    public required double IdleConnectionRatio { get; init; }

    /// <summary>Signed messages of one JSON connection that became rows, a second.</summary>
    public required double JsonMessagesPerSecond { get; init; }

    /// <summary>Batches of one row of one binary connection that became rows, a second.</summary>
    public required double BinMessagesPerSecond { get; init; }

    /// <summary>Commits of enrolled agents under ten times as many junk handshakes ÷ without.</summary>
    public required double JunkGoodputRatio { get; init; }

    public required double JunkPerSecond { get; init; }

    /// <summary>The same while peers of four sources hold open what handshakes they may and say nothing.</summary>
    public required double SilentGoodputRatio { get; init; }

    public required double SilentPerSecond { get; init; }

    /// <summary>What misses its gate.</summary>
    public IEnumerable<string> Misses() => Gates().Where(static gate => gate.AtMost ? gate.Value > gate.Bound : gate.Value < gate.Bound)
        .Select(static gate => FormattableString.Invariant($"{gate.Name} is {gate.Value:0.###}, its gate is {gate.Bound}"));

    private IEnumerable<(string Name, double Value, double Bound, bool AtMost)> Gates() =>
    [
        ("handshake_ratio", HandshakeRatio, 0.35, false),
        ("reconnect_2000_ratio", Reconnect2000Ratio, 0.25, false),
        ("frame_ratio_1k", FrameRatio1k, 0.8, false),
        ("frame_ratio_16k", FrameRatio16k, 0.8, false),
        ("frame_ratio_64k", FrameRatio64k, 0.8, false),
        ("idle_connection_ratio", IdleConnectionRatio, 1.4, true),
        ("json_messages_per_second", JsonMessagesPerSecond, 1_000, false),
        ("bin_messages_per_second", BinMessagesPerSecond, 10_000, false),
        ("junk_goodput_ratio", JunkGoodputRatio, 0.7, false),
        ("silent_goodput_ratio", SilentGoodputRatio, 0.7, false),
    ];
}
