using System.Collections.Concurrent;
using System.Text;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core.Commands;
using Streams.AgentLink;
using Streams.AgentLink.Tests.Gateway;
using Streams.Control.Commands;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Commands;

/// <summary>
/// The attacker is the gateway: it has the gateway's key, certificate and session keys, the queue's seeds, and every command that ever
/// passed through. Over a genuine session it tries each kind of the table; the agent runs none that changes anything.
/// </summary>
public sealed class CompromisedGatewayTests : IDisposable
{
    private readonly TempDirectory _directory = new("compromised");
    private readonly ScriptedGateway _gateway = new();
    private readonly SigningKey _service = SigningKey.Generate();
    private readonly SigningKey _operator = SigningKey.Generate();
    private readonly SigningKey _stolen = SigningKey.Generate();
    private readonly AnyKind[] _handlers = [.. Kinds.Select(kind => new AnyKind(kind))];
    private readonly ConcurrentQueue<CommandEvent> _answers = new();

    public static IEnumerable<string> Kinds => CommandTable.Kinds.Concat(["policy.apply", "policy.confirm", "policy.off"]);

    public static TheoryData<string> Changing => [.. Kinds.Where(kind => CommandTable.SignerOf(kind) == CommandSigner.Operator)];

    [Fact]
    public void The_table_names_no_kind_that_changes_a_host_as_the_services()
    {
        string[] reading = ["status", "report", "collect"];
        Assert.Equal(reading.Order(), Kinds.Where(kind => CommandTable.SignerOf(kind) == CommandSigner.Service).Order());
    }

    [Theory]
    [MemberData(nameof(Changing))]
    public async Task With_everything_that_a_gateway_holds_no_command_that_changes_a_host_is_run(string kind)
    {
        using var control = Open();
        var running = new AgentLink.AgentLink(_gateway.Options, _gateway.Agent, new AgentLinkHooks
        {
            NextConnectCounter = () => 1,
            OnMessage = message =>
            {
                control.Receive(message.Id, message.Payload.Span);
                return WireError.None;
            },
        });
        using var stop = new CancellationTokenSource();
        var run = running.RunAsync(stop.Token);
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            foreach (var (name, command) in Forgeries(kind))
            {
                var before = _answers.Count;
                await peer.SendAsync(Carry(command));
                await Eventually.TrueAsync(() => _answers.Count > before, $"{kind}, {name}: an answer");
                Assert.True(_answers.Last().State == CommandState.Refused, $"{kind}, {name}: {_answers.Last().State}");
            }

            // What the operator signed for another host passes through the gateway too, and so does what this host once did.
            await AssertRefusedAsync(peer, Command(kind, CommandSigner.Operator, _operator, Certificate(CommandSigner.Operator, _operator), agent: "another-host"));
            await AssertRefusedAsync(peer, Command(kind, CommandSigner.Operator, _operator, Certificate(CommandSigner.Operator, _operator), age: TimeSpan.FromHours(2)));
            Assert.All(_handlers, handler => Assert.Equal(0, handler.Runs));

            // The same over the same session with the operator's own signature is run, and not twice: the attack is refused for its signer alone.
            var genuine = Command(kind, CommandSigner.Operator, _operator, Certificate(CommandSigner.Operator, _operator));
            await peer.SendAsync(Carry(genuine));
            await Eventually.TrueAsync(() => _answers.Any(answer => answer.State == CommandState.Finished), $"{kind} of the operator is run");
            await peer.SendAsync(Carry(genuine));
            await Eventually.TrueAsync(() => _answers.Count(answer => answer.State == CommandState.Finished) == 2, "the answer is repeated");
            Assert.Equal(1, _handlers.Sum(handler => handler.Runs));
        }

        await stop.CancelAsync();
        await run;
        running.Dispose();
    }

    public void Dispose()
    {
        _gateway.Dispose();
        _service.Dispose();
        _operator.Dispose();
        _stolen.Dispose();
        _directory.Dispose();
    }

    private IEnumerable<(string Name, byte[] Command)> Forgeries(string kind)
    {
        var gateway = _stolen;
        var service = Certificate(CommandSigner.Service, _service);
        var byOperator = Certificate(CommandSigner.Operator, _operator);
        yield return ("the service's key", Command(kind, CommandSigner.Service, _service, service));
        yield return ("the service's key as the operator's", Command(kind, CommandSigner.Operator, _service, service));
        yield return ("the operator's certificate and the service's signature", Command(kind, CommandSigner.Operator, _service, byOperator));
        yield return ("the operator's certificate and the gateway's signature", Command(kind, CommandSigner.Operator, gateway, byOperator));
        yield return ("a certificate that the gateway's key made", Command(kind, CommandSigner.Operator, gateway,
            FleetCertificate.Create(gateway, CertificateUse.Operator, "ann", gateway.PublicKey, From, Until, 1)));
        yield return ("the gateway's own certificate", Command(kind, CommandSigner.Operator, gateway, FleetCertificate.Create(
            _gateway.Root, CertificateUse.Gateway, "gw-test", gateway.PublicKey, From, Until, 1)));

        // A command that the operator really signed, for looking, with its kind or its addressee changed.
        var genuine = Command("status", CommandSigner.Operator, _operator, byOperator);
        Assert.True(CommandDocument.TryParse(genuine, out var read));
        var changed = Command(kind, CommandSigner.Operator, gateway, byOperator, id: read.Id);
        genuine.AsSpan(genuine.Length - SigningKey.SignatureSize).CopyTo(changed.AsSpan(changed.Length - SigningKey.SignatureSize));
        yield return ("the operator's signature of another kind", changed);
        var elsewhere = Command(kind, CommandSigner.Operator, _operator, byOperator, agent: "another-host");
        var here = Command(kind, CommandSigner.Operator, gateway, byOperator);
        elsewhere.AsSpan(elsewhere.Length - SigningKey.SignatureSize).CopyTo(here.AsSpan(here.Length - SigningKey.SignatureSize));
        yield return ("the operator's signature for another host", here);
    }

    private static long From => DateTimeOffset.UtcNow.AddDays(-1).ToUnixTimeSeconds();

    private static long Until => DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds();

    private FleetCertificate Certificate(CommandSigner signer, SigningKey key) =>
        FleetCertificate.Create(_gateway.Root, signer.Use(), "ann", key.PublicKey, From, Until, 1);

    private byte[] Command(
        string kind, CommandSigner signer, SigningKey key, FleetCertificate certificate, string? agent = null, TimeSpan age = default, CommandId? id = null)
    {
        var issued = (ulong)((DateTimeOffset.UtcNow - age - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        var fields = new CommandFields
        {
            Id = id ?? CommandId.NewRandom(),
            Kind = kind,
            Actor = "ann",
            Counter = 1,
            IssuedAt = issued,
            NotBefore = issued,
            Deadline = issued + 600_000_000,
            Agents = [agent ?? _gateway.Agent.AgentId],
        };
        return CommandDocument.Create(fields, signer, certificate, key).Bytes.ToArray();
    }

    private async Task AssertRefusedAsync(ScriptedPeer peer, byte[] command)
    {
        var before = _answers.Count;
        await peer.SendAsync(Carry(command));
        await Eventually.TrueAsync(() => _answers.Count > before, "an answer");
        Assert.Contains(_answers.Last().State, new[] { CommandState.Refused, CommandState.Expired });
    }

    private static ControlMessage Carry(byte[] command) =>
        new(MessageType.Request, Channels.Control, $"m-{Guid.NewGuid():N}", "core", 1, CommandRequest.Write(command));

    private CommandControl Open()
    {
        var clock = new CommandClock(TimeProvider.System, new DateTimeOffset(2025, 11, 11, 0, 0, 0, TimeSpan.Zero));
        var journal = CommandJournal.OpenAt(_directory.File("commands.journal"), clock);
        var verifier = new CommandVerifier(() => new FleetRoots(_gateway.Root.PublicKey.ToArray()), () => null, _gateway.Agent.AgentId, clock);
        return new CommandControl(verifier, journal, _handlers, () => _gateway.Agent, answer => _answers.Enqueue(answer.Word), new AgentLog(Stream.Null, AgentLogLevel.Error, TimeProvider.System), TimeProvider.System);
    }

    /// <summary>An agent that could do everything, so that what holds it back is the verifier.</summary>
    private sealed class AnyKind(string kind) : ICommandHandler
    {
        public string Kind => kind;

        public int Runs { get; private set; }

        public byte[] Run(CommandDocument command)
        {
            Runs++;
            return Encoding.ASCII.GetBytes("{}");
        }
    }
}
