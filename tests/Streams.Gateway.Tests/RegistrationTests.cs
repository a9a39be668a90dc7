using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Streams.Control.Identity;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>Who may have a session: agents that enrol, agents that are revoked, that change their key, that there are two of; and gateways that are revoked.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task An_enrolment_is_put_to_the_registry_with_what_the_gateway_saw_and_answered_to_the_agent()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var registry = await Registry.StartAsync(fixture);
        using var key = SigningKey.Generate();
        using var nobody = new AgentIdentity("nobody", SigningKey.FromSeed(Seed(key)));
        var answer = new EnrolAnswer(RegistryRefusal.None, "web-1", Text(key), 1);
        registry.Answers["enroll"] = IdentityJson.Write(answer, IdentityJson.Default.EnrolAnswer);
        await using var agent = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        var request = EnrolRequest.Create(EnrolmentToken.Create(key.PublicKey), "host-1", key.PublicKey);
        await agent.SendAsync(Document(new RegistryRequest(Enroll: request)), nobody);
        var response = await agent.WaitForMessageAsync();
        Assert.Equal((MessageType.Response, "r-1"), (response.Type, response.Id));
        Assert.Equal(registry.Answers["enroll"], response.Payload.ToArray());
        Assert.True(IdentityJson.TryRead(Assert.Single(registry.Questions).Bytes, IdentityJson.Default.RegistryCall, out var call));
        Assert.Equal(("gateway-1", "127.0.0.1", "", Text(key), request), (call.Gateway, call.Source, call.AgentId, call.PublicKey, call.Enrol));
    }

    [Fact]
    public async Task A_token_that_the_registry_does_not_take_is_a_row()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { RecordInterval = TimeSpan.FromMilliseconds(100) });
        await using var registry = await Registry.StartAsync(fixture);
        await using var rows = new GatewayRows(fixture);
        registry.Answers["enroll"] = IdentityJson.Write(EnrolAnswer.Refuse(RegistryRefusal.TokenExpired), IdentityJson.Default.EnrolAnswer);
        using var key = SigningKey.Generate();
        using var nobody = new AgentIdentity("nobody", SigningKey.FromSeed(Seed(key)));
        await using var agent = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        await agent.SendAsync(Document(new RegistryRequest(Enroll: EnrolRequest.Create(EnrolmentToken.Create(key.PublicKey), "host-1", key.PublicKey))), nobody);
        await agent.WaitForMessageAsync();
        var row = await rows.FindAsync(ServerClasses.AuthFailure, found => found["reason"] == "token_expired");
        Assert.Equal(("::ffff:127.0.0.1", "", "1"), (row["source"], row["claimed_agent"], row["count"]));
    }

    [Fact]
    public async Task A_registry_that_is_not_there_or_talks_nonsense_is_unavailable_and_no_way_to_an_agent()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var key = SigningKey.Generate();
        using var nobody = new AgentIdentity("nobody", SigningKey.FromSeed(Seed(key)));
        await using var agent = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        var request = Document(new RegistryRequest(Enroll: EnrolRequest.Create(EnrolmentToken.Create(key.PublicKey), "host-1", key.PublicKey)));
        await agent.SendAsync(request, nobody);
        var unavailable = IdentityJson.Write(EnrolAnswer.Refuse(RegistryRefusal.Unavailable), IdentityJson.Default.EnrolAnswer);
        Assert.Equal(unavailable, (await agent.WaitForMessageAsync()).Payload.ToArray());
        await using var registry = await Registry.StartAsync(fixture);
        registry.Answers["enroll"] = Encoding.UTF8.GetBytes("""{"refused":"none","agent_id":"x","public_key":"y","serial":1,"more":"z"}""");
        await agent.SendAsync(request, nobody);
        Assert.Equal(unavailable, (await agent.WaitForMessageAsync()).Payload.ToArray());
    }

    [Fact]
    public async Task Each_mode_has_its_own_request()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var key = SigningKey.Generate();
        using var next = SigningKey.Generate();
        using var nobody = new AgentIdentity("nobody", SigningKey.FromSeed(Seed(key)));
        using var identity = await fixture.EnrolAsync("agent-1");
        var enrol = Document(new RegistryRequest(Enroll: EnrolRequest.Create(EnrolmentToken.Create(key.PublicKey), "host-1", key.PublicKey)));
        var rotate = Document(new RegistryRequest(Rotate: RotateRequest.Create("agent-1", key, next)));
        await using var enrolling = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        await enrolling.SendAsync(rotate, nobody);
        Assert.Equal(WireError.NotAllowed, (await enrolling.WaitForErrorAsync()).Code);
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.SendAsync(enrol, identity);
        Assert.Equal(WireError.NotAllowed, (await agent.WaitForErrorAsync()).Code);
        await agent.SendAsync(Document(new RegistryRequest()), identity);
        Assert.Equal(WireError.Malformed, (await agent.WaitForErrorAsync()).Code);
    }

    [Fact]
    public async Task A_revoked_agent_has_no_session_within_a_second_and_gets_no_other()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var neighbour = await fixture.EnrolAsync("agent-2");
        await using var other = await fixture.ConnectAsync(neighbour);
        await using var agent = await fixture.ConnectAsync(identity);
        await Eventually.TrueAsync(() => fixture.Server.Sessions == 2, "both sessions live");
        await using var connection = await fixture.ConnectAsync(QueueRole.Operator);
        var store = await IdentityStore.OpenAsync(connection);
        var close = agent.WaitForCloseAsync();
        var started = Stopwatch.GetTimestamp();
        await store.ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Revoked, Action = "revoked" });
        Assert.Equal(CloseCode.Refused, await close);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Equal(0, fixture.Server.Core.Registry.Find("agent-1") is { Ended: SessionEnd.None } ? 1 : 0);
        await Assert.ThrowsAnyAsync<Exception>(() => fixture.ConnectAsync(identity));
        Assert.Equal(1, fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.UnknownAgent}}}"));
        // Put back by the operator: let in again.
        await store.ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Active, Action = "released" });
        await Eventually.TrueAsync(() => fixture.Server.Core.Identities.IsGood("agent-1", identity.PublicKey), "the release is known");
        await using var again = await fixture.ConnectAsync(identity);
        Assert.NotNull(fixture.Server.Core.Registry.Find("agent-2"));
    }

    [Fact]
    public async Task During_a_rotation_both_keys_have_sessions_and_the_new_ones_first_is_told()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var registry = await Registry.StartAsync(fixture);
        registry.Answers["notice"] = [1];
        using var identity = await fixture.EnrolAsync("agent-1");
        using var next = new AgentIdentity("agent-1", SigningKey.Generate());
        await using var connection = await fixture.ConnectAsync(QueueRole.Operator);
        var store = await IdentityStore.OpenAsync(connection);
        await using var living = await fixture.ConnectAsync(identity);
        await store.ChangeAsync("agent-1", last => last! with { PublicKey = Text(next.PublicKey), PreviousKey = last!.PublicKey, Action = "rotated" });
        await Eventually.TrueAsync(() => fixture.Server.Core.Identities.IsGood("agent-1", next.PublicKey), "the new key is known");
        Assert.Equal(1, fixture.Server.Sessions);
        await using (await fixture.ConnectAsync(identity))
        {
            Assert.DoesNotContain(registry.Questions, question => question.Action == "notice");
        }

        await using var agent = await fixture.ConnectAsync(next);
        await Eventually.TrueAsync(() => registry.Questions.Any(question => question.Action == "notice"), "the first session under the new key is told");
        Assert.True(IdentityJson.TryRead(registry.Questions.Single(question => question.Action == "notice").Bytes, IdentityJson.Default.RegistryNotice, out var notice));
        Assert.Equal((NoticeKind.NewKeyUsed, "agent-1", Text(next.PublicKey)), (notice.Kind, notice.AgentId, notice.PublicKey));
        // What the Registry makes of it: the old key is over.
        await store.ChangeAsync("agent-1", last => last! with { PreviousKey = "", Action = "rotated" });
        await Eventually.TrueAsync(() => !fixture.Server.Core.Identities.IsGood("agent-1", identity.PublicKey), "the old key is over");
        await Assert.ThrowsAnyAsync<Exception>(() => fixture.ConnectAsync(identity));
        Assert.Equal(1, fixture.Server.Sessions);
    }

    [Fact]
    public async Task A_copy_is_told_to_the_registry_and_its_data_are_still_taken()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var registry = await Registry.StartAsync(fixture);
        registry.Answers["notice"] = [1];
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var first = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, new RawAgent { ConnectCounter = 900_000 }))
        {
            // Before that its session may not be written yet.
            await first.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        }

        await using var copy = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, new RawAgent { ConnectCounter = 900_000 });
        await Eventually.TrueAsync(() => registry.Questions.Any(question => question.Action == "notice"), "the copy is told");
        Assert.True(IdentityJson.TryRead(registry.Questions.Single().Bytes, IdentityJson.Default.RegistryNotice, out var notice));
        Assert.Equal((NoticeKind.Clone, "agent-1", "counter_back"), (notice.Kind, notice.AgentId, notice.Detail));
        await using var connection = await fixture.ConnectAsync(QueueRole.Operator);
        await (await IdentityStore.OpenAsync(connection)).ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Quarantined, Action = "quarantined" });
        await Eventually.TrueAsync(() => fixture.Server.Core.Identities.IsQuarantined("agent-1"), "the quarantine is known");
        await copy.WantAsync(LaneClass.Event, 4096, 4096);
        await copy.WaitForCreditAsync(LaneClass.Event, 4096);
        await copy.SendDataAsync(Batches.Pad(Batches.Make(copy.Epoch, 0, 0, 10)));
        Assert.Single(await fixture.ReadAsync("agent-1", 1));
    }

    [Fact]
    public async Task The_loss_of_a_gateways_key_is_survived_without_a_hand_on_any_host()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { KeysInterval = TimeSpan.FromMilliseconds(50) });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var living = await fixture.ConnectAsync(identity);
        var stolen = fixture.Server.Core.Identity;
        Assert.True(living.Session.Revocations.IsEmpty);

        // A new key with a new serial, and the old serial on the list; the gateway restarts nothing.
        using var key = SigningKey.Generate();
        fixture.WriteKeys(key, fixture.Certify(key, 2));
        await Eventually.TrueAsync(() => fixture.Server.Core.Identity.Certificate.Serial == 2, "the new key is shown");
        var list = fixture.Revoke(1, stolen.Certificate.Serial);
        await using var services = await fixture.ConnectAsync(QueueRole.Services);
        var store = await RevocationStore.OpenAsync(services);
        Assert.True(await store.TryPutAsync(RevocationStore.List, new RevocationRecord(Base64Url.EncodeToString(list.Bytes), 1)));

        // The living session goes on under what it was shown, and hears of the list, signed with the key that it knows.
        var told = await living.WaitForMessageAsync();
        Assert.True(IdentityJson.TryRead(told.Payload.Span, IdentityJson.Default.RegistryEvent, out var said));
        Assert.Equal(Base64Url.EncodeToString(list.Bytes), said.Revocations);
        Assert.Equal(1, fixture.Server.Sessions);

        // Later ones have it in F0, are shown the new key, and refuse the old one.
        await using var later = await fixture.ConnectAsync(identity);
        Assert.Equal(list.Bytes.ToArray(), later.Session.Revocations.ToArray());
        Assert.Equal(key.PublicKey.ToArray(), later.GatewayKey);
        Assert.True(RevocationList.TryParse(later.Session.Revocations.Span, out var known) && known!.IsSignedBy(fixture.Roots));
        using var arena = new Wire.Keys.KeyArena(4);
        Assert.Equal(RefusalReason.CertificateRevoked, Judge(stolen, known!));
        Assert.Equal(RefusalReason.None, Judge(fixture.Server.Core.Identity, known!));

        RefusalReason Judge(GatewayIdentity gateway, RevocationList revoked)
        {
            Assert.Equal(RefusalReason.None, GatewayHandshake.TryStart(gateway, HandshakeContext.Binary, arena, EphemeralKey.TryGenerate(arena)!, out var there));
            Assert.Equal(RefusalReason.None, AgentHandshake.TryStart(identity, HandshakeContext.Binary, arena, out var here));
            using (there)
            using (here)
            {
                var hello = new byte[GatewayHandshake.MaxHelloBytes];
                var claims = new AgentClaims(1, 2, 3, 4, new byte[32]);
                return here!.ReadHello(
                    hello.AsSpan(0, there!.WriteHello(1, hello)), new GatewayExpectations(fixture.Roots, null, null, revoked), in claims,
                    new byte[AgentHandshake.MaxAuthBytes], out _);
            }
        }
    }

    [Fact]
    public async Task The_next_root_is_told_to_living_sessions_and_to_every_new_one()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var next = SigningKey.Generate();
        var text = Base64Url.EncodeToString(fixture.Succeed(next).Bytes);
        await using var living = await fixture.ConnectAsync(identity);
        await Eventually.TrueAsync(() => fixture.Server.Sessions == 1, "the session lives");
        await using var services = await fixture.ConnectAsync(QueueRole.Services);
        await (await RevocationStore.OpenAsync(services)).TryPutAsync(RevocationStore.Succession, new RevocationRecord(text, 1));
        Assert.Equal(text, await SuccessionAsync(living));
        await using var later = await fixture.ConnectAsync(identity);
        Assert.Equal(text, await SuccessionAsync(later));

        static async Task<string> SuccessionAsync(RawAgent agent)
        {
            Assert.True(IdentityJson.TryRead((await agent.WaitForMessageAsync()).Payload.Span, IdentityJson.Default.RegistryEvent, out var said));
            return said.Succession;
        }
    }

    private static ControlMessage Document(RegistryRequest request) => new(
        MessageType.Request, Wire.Channels.Registry, "r-1", "core", 1, IdentityJson.Write(request, IdentityJson.Default.RegistryRequest));

    private static string Text(SigningKey key) => Text(key.PublicKey);

    private static string Text(ReadOnlySpan<byte> key) => Base64Url.EncodeToString(key);

    private static byte[] Seed(SigningKey key)
    {
        var seed = new byte[SigningKey.SeedSize];
        key.ExportSeed(seed);
        return seed;
    }

    /// <summary>What answers behind the queue, with what a test says.</summary>
    private sealed class Registry : IAsyncDisposable
    {
        private readonly List<IAsyncDisposable> _parts = [];

        public ConcurrentDictionary<string, byte[]> Answers { get; } = new();

        public ConcurrentQueue<(string Action, byte[] Bytes)> Questions { get; } = new();

        public static async Task<Registry> StartAsync(GatewayFixture fixture)
        {
            var registry = new Registry();
            var connection = await fixture.ConnectAsync(QueueRole.Services);
            foreach (var action in new[] { "enroll", "rotate", "notice" })
            {
                registry._parts.Add(await ServiceResponder.OpenAsync(connection, Subjects.Registry(action), (question, _) =>
                {
                    registry.Questions.Enqueue((action, question.ToArray()));
                    return Task.FromResult(registry.Answers.GetValueOrDefault(action));
                }));
            }

            // Answered behind the subscriptions: the server has them.
            await connection.PingAsync();
            registry._parts.Add(connection);
            return registry;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var part in _parts)
            {
                await part.DisposeAsync();
            }
        }
    }
}
