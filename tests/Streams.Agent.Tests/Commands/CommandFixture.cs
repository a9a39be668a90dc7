using System.Collections.Concurrent;
using System.Text;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core.Commands;
using Streams.Agent.Modules.Core.Identity;
using Streams.Control.Commands;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Agent.Tests.Commands;

/// <summary>The control half of an agent over a real journal, and the keys of those who command it.</summary>
internal sealed class CommandFixture : IDisposable
{
    public const string AgentId = "agent-1";

    /// <summary>Of the certificate that signs.</summary>
    public const ulong Serial = 12;

    private readonly TempDirectory _directory = new("commands");
    private readonly SigningKey _root;
    private readonly SigningKey _key;
    private PinnedStatements _pinned = null!;

    public CommandFixture(ManualClock clock, ICommandHandler? handler = null)
        : this(clock, SigningKey.Generate(), SigningKey.Generate(), handler)
    {
    }

    private CommandFixture(ManualClock clock, SigningKey root, SigningKey key, ICommandHandler? handler)
    {
        Clock = clock;
        _root = root;
        _key = key;
        Handler = handler ?? new CountingHandler();
        Log = new AgentLog(Lines, AgentLogLevel.Debug, clock);
        Open();
    }

    public ManualClock Clock { get; }

    public ICommandHandler Handler { get; }

    public int Runs => ((CountingHandler)Handler).Runs;

    public MemoryStream Lines { get; } = new();

    public AgentLog Log { get; }

    public string JournalPath => _directory.File("commands.journal");

    public CommandJournal Journal { get; private set; } = null!;

    public CommandControl Control { get; private set; } = null!;

    public CommandClock CommandClock { get; private set; } = null!;

    /// <summary>Whose key the agent has now.</summary>
    public AgentIdentity Identity { get; set; } = new(AgentId, SigningKey.Generate());

    /// <summary>As they were signed.</summary>
    public ConcurrentQueue<CommandAnswer> Signed { get; } = new();

    public IEnumerable<CommandEvent> Answers => Signed.Select(answer => answer.Word);

    /// <summary>Ends this life without a word and begins the next over the same journal.</summary>
    public void Restart()
    {
        Control.Dispose();
        Open();
    }

    public CommandDocument Sign(
        string kind = "status", CommandSigner signer = CommandSigner.Service, Func<CommandFields, CommandFields>? change = null)
    {
        var now = Micros(Clock.GetUtcNow());
        var fields = new CommandFields
        {
            Id = CommandId.NewRandom(),
            Kind = kind,
            Actor = "alice",
            Counter = 1,
            IssuedAt = now,
            NotBefore = now,
            Deadline = now + 600_000_000,
            Agents = [AgentId],
        };
        var from = Clock.GetUtcNow().AddDays(-60).ToUnixTimeSeconds();
        var certificate = FleetCertificate.Create(_root, signer.Use(), "actions", _key.PublicKey, from, from + (120 * 86400), Serial);
        return CommandDocument.Create(change?.Invoke(fields) ?? fields, signer, certificate, _key);
    }

    /// <summary>The fleet root's word, as a gateway brings it.</summary>
    public bool Revoke(ulong version, params ulong[] serials) => _pinned.Take(RevocationList.Create(_root, version, 1, serials));

    public void Send(CommandDocument document) => Control.Receive(document.Id.ToString(), CommandRequest.Write(document.Bytes.Span));

    /// <summary>Sends it and waits for its end.</summary>
    public async Task<CommandEvent> AskAsync(CommandDocument document)
    {
        var before = Signed.Count;
        Send(document);
        await Eventually.TrueAsync(() => Answers.Skip(before).Any(IsEnd), $"an end of {document.Id}");
        return Answers.Skip(before).Single(IsEnd);

        bool IsEnd(CommandEvent answer) => answer.Command == document.Id.ToString() && answer.State.IsEnd();
    }

    public string Said() => Encoding.UTF8.GetString(Lines.ToArray());

    public void Dispose()
    {
        Control.Dispose();
        Identity.Dispose();
        _directory.Dispose();
        _root.Dispose();
        _key.Dispose();
    }

    public static ulong Micros(DateTimeOffset at) => (ulong)((at - DateTimeOffset.UnixEpoch).Ticks / 10);

    private void Open()
    {
        CommandClock = new CommandClock(Clock, new DateTimeOffset(2025, 11, 11, 0, 0, 0, TimeSpan.Zero));
        _pinned = new PinnedStatements(_directory.Path, new FleetRoots(_root.PublicKey.ToArray()));
        Journal = CommandJournal.OpenAt(JournalPath, CommandClock);
        var verifier = new CommandVerifier(() => _pinned.Roots, () => _pinned.Revoked, AgentId, CommandClock);
        Control = new CommandControl(verifier, Journal, [Handler], () => Identity, Signed.Enqueue, Log, Clock);
        Control.Recover();
    }
}

/// <summary>Counts how often it ran.</summary>
internal sealed class CountingHandler : ICommandHandler
{
    public string Kind => "status";

    public int Runs { get; private set; }

    public Func<byte[]> Result { get; set; } = () => "{\"ok\":true}"u8.ToArray();

    public byte[] Run(CommandDocument command)
    {
        Runs++;
        return Result();
    }
}
