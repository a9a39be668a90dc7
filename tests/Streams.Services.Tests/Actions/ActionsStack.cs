using System.Buffers.Text;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Control.Commands;
using Streams.Local;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Services.Actions;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Services.Tests.Actions;

/// <summary>A real nats-server, the services' end of commands, and a gateway's connection that reads and answers them.</summary>
internal sealed class ActionsStack : IAsyncDisposable
{
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly Dictionary<string, AgentIdentity> _agents = [];
    private readonly CommandIssuer _issuer;
    private readonly NatsProcess _nats;
    private RowProducer _producer = null!;

    private ActionsStack(NatsProcess nats)
    {
        _nats = nats;
        var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow;
        _issuer = new CommandIssuer(key, FleetCertificate.Create(_root, CertificateUse.Service, "actions", key.PublicKey, now.AddHours(-1).ToUnixTimeSeconds(), now.AddHours(1).ToUnixTimeSeconds(), 1));
    }

    public FleetRoots Roots => new(_root.PublicKey.ToArray());

    public QueueConnection Services { get; private set; } = null!;

    public QueueConnection Gateway { get; private set; } = null!;

    public ActionsService Actions { get; private set; } = null!;

    public IdentityStore Identities { get; private set; } = null!;

    public RowProducer Rows => _producer;

    public CommandReader Reader => new(Gateway);

    public ConcurrentQueue<string> Nudges { get; } = new();

    public static async Task<ActionsStack> StartAsync(params string[] agents)
    {
        var stack = new ActionsStack(await NatsProcess.StartAsync());
        await using (var worker = await stack.ConnectAsync(QueueRole.Worker))
            await Topology.CreateAsync(worker, new TopologyOptions { IngestBytes = 48L << 20 });
        stack.Services = stack.Own(await stack.ConnectAsync(QueueRole.Services));
        stack.Gateway = stack.Own(await stack.ConnectAsync(QueueRole.Gateway));
        stack.Own(await NudgeListener.OpenAsync(stack.Gateway, stack.Nudges.Enqueue));
        stack.Identities = await IdentityStore.OpenAsync(stack.Services);
        foreach (var agent in agents)
            await stack.EnrolAsync(agent);
        stack._producer = stack.Own(await RowProducer.OpenAsync(
            stack.Services, new RowProducerOptions { Role = "services", Name = "test", Partitions = 4 }));
        await stack.StartActionsAsync();
        return stack;
    }

    public static CommandOrder Status(params string[] agents) => new("status", agents, TimeSpan.FromMinutes(5), "alice", []);

    /// <summary>As a restart of the process does.</summary>
    public async Task RestartAsync()
    {
        await Actions.DisposeAsync();
        await StartActionsAsync();
    }

    public async Task<CommandView> OrderAsync(CommandOrder order)
    {
        var (command, problem) = await Actions.OrderAsync(order);
        Assert.Null(problem);
        return command!;
    }

    public async Task<CommandDocument> ReadAsync(string agent)
    {
        Assert.True(CommandDocument.TryParse((await Reader.ReadAsync(agent, 0))!.Value.Document.Span, out var document));
        return document;
    }

    /// <summary>The agent's key, as it has it and as the services do.</summary>
    public AgentIdentity Agent(string agent) => _agents[agent];

    public async Task EnrolAsync(string agent)
    {
        var identity = _agents[agent] = new AgentIdentity(agent, SigningKey.Generate());
        await Identities.PutAsync(agent, new IdentityRecord(Text(identity.PublicKey), "host", DateTimeOffset.UtcNow));
    }

    public static string Text(ReadOnlySpan<byte> key) => Base64Url.EncodeToString(key);

    public Task AnswerAsync(string agent, CommandEvent word) => PublishAsync(agent, CommandAnswer.Create(word, Agent(agent)));

    public Task PublishAsync(string agent, CommandAnswer answer) => PublishAsync(agent, CommandResponse.Write(answer));

    /// <summary>What a gateway can do, captured or not.</summary>
    public async Task PublishAsync(string agent, byte[] response) =>
        Assert.True(await new ResponsePublisher(Gateway).TryPublishAsync(agent, response));

    public static CommandEvent Word(CommandDocument document, CommandState state, string detail = "", string result = "") =>
        CommandEvent.Of(document, state, 1, detail, result);

    public Task<CommandView> StateAsync(string id, string agent, string state) => Eventually.ValueAsync(
        async () => (await Actions.FindAsync(Id(id)))!, view => view.Agents.Single(entry => entry.Agent == agent).State == state, $"{agent}: {state}",
        TimeSpan.FromSeconds(20));

    public static CommandId Id(string text)
    {
        Assert.True(CommandId.TryParse(text, out var id));
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        await Actions.DisposeAsync();
        _owned.Reverse();
        foreach (var part in _owned)
            await part.DisposeAsync();
        await _nats.DisposeAsync();
        _issuer.Dispose();
        _root.Dispose();
        foreach (var agent in _agents.Values)
            agent.Dispose();
    }

    private async Task StartActionsAsync() => Actions = await ActionsService.StartAsync(Services, _issuer, _producer);

    private Task<QueueConnection> ConnectAsync(QueueRole role) => QueueConnection.OpenAsync(new QueueOptions
    {
        Url = _nats.Url,
        Role = role,
        Seed = _nats.Seed(Enum.Parse<NatsRole>(role.ToString())),
        Name = $"test {role}",
        LoggerFactory = NullLoggerFactory.Instance,
    });

    private T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _owned.Add(part);
        return part;
    }
}
