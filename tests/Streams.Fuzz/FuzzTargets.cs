using Streams.Fuzz.Targets;

namespace Streams.Fuzz;

/// <summary>Every parser of bytes that come from outside of its process.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new FrameFuzz(),
        new HandshakeFuzz(),
        new StatementFuzz(),
        new MessageFuzz(),
        new BatchFuzz(),
        new BatchTextFuzz(),
        new EnvelopeFuzz(),
        new ContentFuzz(),
        new AdmissionFuzz(),
        new LedgerFuzz(),
        new ProxyFuzz(),
        new RequestFuzz(),
        new UpgradeFuzz(),
        new WebSocketFuzz(),
        new TokenFuzz(),
        new SessionTokenFuzz(),
        new DocumentFuzz(),
        new CommandFuzz(),
        new OperatorFuzz(),
        new JournalFuzz(),
        new SpoolFuzz(),
        new HeaderFuzz(),
        new FlowFuzz(),
        new AckFuzz(),
        new RecordFuzz(),
        new KeyFileFuzz(),
        new StoreFuzz(),
    ];

    public static FuzzTarget Find(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new FuzzException($"no target {name}; there are: {string.Join(", ", All.Select(target => target.Name))}");
}
