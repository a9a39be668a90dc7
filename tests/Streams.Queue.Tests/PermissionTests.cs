using System.Collections.Concurrent;
using Streams.Testing;

namespace Streams.Queue.Tests;

/// <summary>What each role must not do, tried against the server with that role's own key.</summary>
public sealed class PermissionTests : IAsyncLifetime
{
    private readonly NatsProcess _nats = new();

    public async Task InitializeAsync()
    {
        await _nats.InitializeAsync();
        await using var worker = await _nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
    }

    public async Task DisposeAsync() => await _nats.DisposeAsync();

    [Theory]
    [InlineData(QueueRole.Gateway, "flow.0")]
    [InlineData(QueueRole.Gateway, "$KV.identities.agent-1")]
    [InlineData(QueueRole.Gateway, "$KV.leases.partition.0")]
    [InlineData(QueueRole.Gateway, "$KV.offsets.partition.0")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.PURGE.INGEST_0")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.DELETE.INGEST_0")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.DELETE.KV_sessions")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.CREATE.OTHER")]
    [InlineData(QueueRole.Gateway, "$JS.API.CONSUMER.CREATE.INGEST_0")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.MSG.DELETE.INGEST_0")]
    [InlineData(QueueRole.Gateway, "$SYS.REQ.SERVER.PING")]
    [InlineData(QueueRole.Gateway, "_INBOX.worker.x.y")]
    [InlineData(QueueRole.Gateway, "ingest.0._services-1.x")]
    [InlineData(QueueRole.Gateway, "server.services.0._services-1")]
    [InlineData(QueueRole.Gateway, "server.worker.0._worker-1")]
    [InlineData(QueueRole.Worker, "ingest.0.agent-1")]
    [InlineData(QueueRole.Worker, "server.services.0._services-1")]
    [InlineData(QueueRole.Worker, "server.gateway.0._gateway-1")]
    [InlineData(QueueRole.Services, "ingest.0.agent-1")]
    [InlineData(QueueRole.Services, "server.gateway.0._gateway-1")]
    [InlineData(QueueRole.Services, "server.worker.0._worker-1")]
    [InlineData(QueueRole.Operator, "server.services.0._services-1")]
    [InlineData(QueueRole.Worker, "$KV.identities.agent-1")]
    [InlineData(QueueRole.Worker, "$KV.sessions.agent-1")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.DELETE.INGEST_0")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.PURGE.KV_sessions")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.UPDATE.INGEST_0")]
    [InlineData(QueueRole.Worker, "command.agent-1")]
    [InlineData(QueueRole.Worker, "response.agent-1")]
    [InlineData(QueueRole.Worker, "nudge.agent-1")]
    [InlineData(QueueRole.Worker, "service.registry.enroll")]
    [InlineData(QueueRole.Worker, "$KV.enrolment.t")]
    [InlineData(QueueRole.Worker, "$KV.operators.t")]
    [InlineData(QueueRole.Worker, "$KV.revocations.list")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.PURGE.COMMANDS")]
    [InlineData(QueueRole.Worker, "$JS.API.DIRECT.GET.COMMANDS.command.agent-1")]
    [InlineData(QueueRole.Worker, "$JS.API.DIRECT.GET.KV_operators.$KV.operators.t")]
    [InlineData(QueueRole.Worker, "_INBOX.gateway.x.y")]
    [InlineData(QueueRole.Worker, "_REPLY.gateway.x.0.1")]
    [InlineData(QueueRole.Gateway, "_ANSWER.x.1")]
    [InlineData(QueueRole.Gateway, "command.agent-1")]
    [InlineData(QueueRole.Gateway, "nudge.agent-1")]
    [InlineData(QueueRole.Gateway, "$KV.enrolment.t")]
    [InlineData(QueueRole.Gateway, "$KV.operators.t")]
    [InlineData(QueueRole.Gateway, "$KV.revocations.list")]
    [InlineData(QueueRole.Gateway, "$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment.t")]
    [InlineData(QueueRole.Gateway, "$JS.API.DIRECT.GET.KV_operators.$KV.operators.t")]
    [InlineData(QueueRole.Gateway, "$JS.API.CONSUMER.CREATE.COMMANDS")]
    [InlineData(QueueRole.Gateway, "$JS.API.CONSUMER.CREATE.KV_enrolment")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.PURGE.COMMANDS")]
    [InlineData(QueueRole.Gateway, "$JS.API.DIRECT.GET.RESPONSES.response.agent-1")]
    [InlineData(QueueRole.Gateway, "$JS.API.STREAM.MSG.GET.RESPONSES")]
    [InlineData(QueueRole.Services, "flow.0")]
    [InlineData(QueueRole.Services, "response.agent-1")]
    [InlineData(QueueRole.Services, "service.registry.enroll")]
    [InlineData(QueueRole.Services, "$KV.sessions.agent-1")]
    [InlineData(QueueRole.Services, "$KV.leases.partition.0")]
    [InlineData(QueueRole.Services, "$KV.offsets.partition.0")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.CREATE.COMMANDS")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.DELETE.COMMANDS")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.UPDATE.RESPONSES")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.PURGE.INGEST_0")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.PURGE.KV_identities")]
    [InlineData(QueueRole.Services, "$JS.API.STREAM.MSG.GET.INGEST_0")]
    [InlineData(QueueRole.Services, "$JS.API.CONSUMER.CREATE.INGEST_0")]
    [InlineData(QueueRole.Services, "_ANSWER.worker.x.1")]
    [InlineData(QueueRole.Services, "_INBOX.gateway.x.y")]
    [InlineData(QueueRole.Operator, "command.agent-1")]
    [InlineData(QueueRole.Operator, "nudge.agent-1")]
    [InlineData(QueueRole.Operator, "response.agent-1")]
    [InlineData(QueueRole.Operator, "watermarks.0")]
    [InlineData(QueueRole.Operator, "service.registry.enroll")]
    [InlineData(QueueRole.Operator, "$KV.operators.t")]
    [InlineData(QueueRole.Operator, "$JS.API.STREAM.PURGE.COMMANDS")]
    [InlineData(QueueRole.Operator, "$JS.API.STREAM.NAMES")]
    [InlineData(QueueRole.Operator, "ingest.0.agent-1")]
    [InlineData(QueueRole.Operator, "flow.0")]
    [InlineData(QueueRole.Operator, "$KV.sessions.agent-1")]
    [InlineData(QueueRole.Operator, "$KV.leases.partition.0")]
    [InlineData(QueueRole.Operator, "$JS.API.STREAM.PURGE.INGEST_0")]
    [InlineData(QueueRole.Operator, "$JS.API.STREAM.CREATE.OTHER")]
    [InlineData(QueueRole.Operator, "$JS.API.STREAM.MSG.GET.INGEST_0")]
    public async Task Publishing_is_refused(QueueRole role, string subject)
    {
        await using var connection = await _nats.OpenAsync(role);
        var errors = Watch(connection);
        await connection.Nats.PublishAsync(subject, "x");
        await connection.PingAsync();
        await Eventually.TrueAsync(() =>
            errors.Any(error => error.Contains("permissions violation", StringComparison.OrdinalIgnoreCase)), "the server refuses");
    }

    [Theory]
    [InlineData(QueueRole.Gateway, "ingest.>")]
    [InlineData(QueueRole.Gateway, "watermarks.0")]
    [InlineData(QueueRole.Gateway, "_INBOX.>")]
    [InlineData(QueueRole.Gateway, "$JS.API.>")]
    [InlineData(QueueRole.Worker, "ingest.>")]
    [InlineData(QueueRole.Worker, "_INBOX.gateway.>")]
    [InlineData(QueueRole.Worker, ">")]
    [InlineData(QueueRole.Gateway, "_ANSWER.services.>")]
    [InlineData(QueueRole.Gateway, "command.*")]
    [InlineData(QueueRole.Gateway, "response.*")]
    [InlineData(QueueRole.Gateway, "service.registry.*")]
    [InlineData(QueueRole.Worker, "_ANSWER.gateway.>")]
    [InlineData(QueueRole.Worker, "nudge.*")]
    [InlineData(QueueRole.Worker, "service.registry.*")]
    [InlineData(QueueRole.Services, "watermarks.0")]
    [InlineData(QueueRole.Services, "ingest.>")]
    [InlineData(QueueRole.Services, "_ANSWER.gateway.>")]
    [InlineData(QueueRole.Services, "command.*")]
    [InlineData(QueueRole.Services, ">")]
    [InlineData(QueueRole.Operator, "_ANSWER.gateway.>")]
    [InlineData(QueueRole.Operator, "nudge.*")]
    [InlineData(QueueRole.Operator, "flow.*")]
    [InlineData(QueueRole.Operator, "$KV.>")]
    public async Task Subscribing_is_refused(QueueRole role, string subject)
    {
        await using var connection = await _nats.OpenAsync(role);
        var errors = Watch(connection);
        await using var subscription = await connection.Nats.SubscribeCoreAsync<string>(subject);
        await connection.PingAsync();
        await Eventually.TrueAsync(() =>
            errors.Any(error => error.Contains("permissions violation", StringComparison.OrdinalIgnoreCase)), "the server refuses");
    }

    [Fact]
    public async Task What_a_role_needs_is_allowed()
    {
        await using var gateway = await _nats.OpenAsync(QueueRole.Gateway);
        await using var worker = await _nats.OpenAsync(QueueRole.Worker);
        await using var person = await _nats.OpenAsync(QueueRole.Operator);
        ConcurrentQueue<string>[] errors = [Watch(gateway), Watch(worker), Watch(person)];

        await (await IdentityStore.OpenAsync(person)).PutAsync("agent-1", new IdentityRecord("k", "h", DateTimeOffset.UtcNow));
        await using (var cache = await IdentityCache.OpenAsync(await IdentityStore.OpenAsync(gateway)))
            Assert.Equal(1, cache.Count);
        var sessions = await SessionStore.OpenAsync(gateway);
        await sessions.AdvanceAsync("agent-1", new SessionRecord(0, "g", "e", DateTimeOffset.UtcNow, "h", "a"));
        Assert.NotNull(await (await SessionStore.OpenAsync(person)).GetAsync("agent-1"));
        Assert.Equal(PublishOutcome.Acknowledged, (await Messages.PublishOneAsync(gateway, Messages.Headers(0), [1])).Outcome);
        await using (var reader = PartitionReader.Start(worker, 0, 1))
        {
            using (var batch = await reader.ReadAsync())
                Assert.Single(batch.Messages);
            await reader.PurgeAsync(1);
        }

        Assert.NotNull((await (await LeaseStore.OpenAsync(worker, "o")).TryAcquireAsync("migrator")).Lease);
        Assert.All(errors, Assert.Empty);
    }

    [Fact]
    public async Task What_gateway_and_services_say_to_each_other_is_allowed()
    {
        await using var gateway = await _nats.OpenAsync(QueueRole.Gateway);
        await using var services = await _nats.OpenAsync(QueueRole.Services);
        ConcurrentQueue<string>[] errors = [Watch(gateway), Watch(services)];

        // A request of the registry, answered below the gateway's own inbox.
        await using var requests = await services.Nats.SubscribeCoreAsync<string>("service.registry.*");
        await services.PingAsync();
        await using var answers = await AnswerInbox.OpenAsync(gateway, default);
        var asking = answers.AskAsync(Subjects.Registry("enroll"), "who?"u8.ToArray(), TimeSpan.FromSeconds(5), default);
        await (await requests.Msgs.ReadAsync()).ReplyAsync("you");
        Assert.Equal("you"u8.ToArray(), await asking);

        // A command, its nudge, and what the gateway reads of it: the next of the agent from a sequence on.
        await using var nudges = await gateway.Nats.SubscribeCoreAsync<string>("nudge.*");
        await gateway.PingAsync();
        var stored = await services.JetStream.PublishAsync(Subjects.Command("agent-1"), "do");
        Assert.Null(stored.Error);
        await services.Nats.PublishAsync(Subjects.Nudge("agent-1"));
        Assert.Equal(Subjects.Nudge("agent-1"), (await nudges.Msgs.ReadAsync()).Subject);
        var next = await gateway.Nats.RequestAsync<string, string>(
            "$JS.API.DIRECT.GET." + Topology.Commands, """{"seq":1,"next_by_subj":"command.agent-1"}""");
        Assert.Equal("do", next.Data);

        // The answer, read durably and purged.
        Assert.Null((await gateway.JetStream.PublishAsync(Subjects.Response("agent-1"), "done")).Error);
        var consumer = await services.JetStream.CreateOrUpdateConsumerAsync(
            Topology.Responses, new NATS.Client.JetStream.Models.ConsumerConfig("actions"));
        var response = await consumer.NextAsync<string>();
        Assert.Equal("done", response?.Data);
        await response!.AckAsync(new NATS.Client.JetStream.AckOpts { DoubleAck = true });
        foreach (var stream in new[] { Topology.Commands, Topology.Responses })
            await services.JetStream.PurgeStreamAsync(stream, new NATS.Client.JetStream.Models.StreamPurgeRequest());

        foreach (var bucket in new[] { Topology.Identities, Topology.Enrolment, Topology.Operators, Topology.Revocations })
        {
            var store = await services.KeyValue.GetStoreAsync(bucket);
            await store.PutAsync("a", "1");
            await store.UpdateAsync("a", "2", (await store.GetEntryAsync<string>("a")).Revision);
            await store.DeleteAsync("a");
        }

        Assert.False((await (await gateway.KeyValue.GetStoreAsync(Topology.Revocations)).TryGetEntryAsync<string>("b")).Success);
        Assert.Null(await (await SessionStore.OpenAsync(services)).GetAsync("agent-1"));
        await Topology.CheckAsync(services, 4);
        Assert.All(errors, Assert.Empty);
    }

    [Fact]
    public async Task The_65th_command_that_waits_for_an_agent_is_refused_and_another_agents_is_not()
    {
        await using var services = await _nats.OpenAsync(QueueRole.Services);
        for (var i = 0; i < Topology.CommandsPerAgent; i++)
            Assert.Null((await services.JetStream.PublishAsync(Subjects.Command("busy"), "x")).Error);
        Assert.NotNull((await services.JetStream.PublishAsync(Subjects.Command("busy"), "x")).Error);
        Assert.Null((await services.JetStream.PublishAsync(Subjects.Command("idle"), "x")).Error);
    }

    /// <summary>With a gateway's key, on a subject that a gateway may publish to, in another role's name: the reader does not take it for that role's.</summary>
    [Theory]
    [InlineData("ingest.0._services-1")]
    [InlineData("server.gateway.0._services-1")]
    [InlineData("server.gateway.0.agent-1")]
    public async Task A_producer_on_a_subject_that_is_not_its_own_is_a_header_error(string subject)
    {
        await using var gateway = await _nats.OpenAsync(QueueRole.Gateway);
        await using var worker = await _nats.OpenAsync(QueueRole.Worker);
        var name = subject[(subject.LastIndexOf('.') + 1)..];
        Assert.Null((await gateway.JetStream.PublishAsync(subject, "x"u8.ToArray(), headers: Messages.Headers(0).ToNats(name))).Error);
        Assert.Null((await gateway.JetStream.PublishAsync(Subjects.Ingest(0, "_gateway-1"), "x"u8.ToArray(), headers: Messages.Headers(0).ToNats("_gateway-1"))).Error);
        await using var reader = PartitionReader.Start(worker, 0, 1);
        var read = new List<(MessageHeaderError Error, string Agent)>();
        while (read.Count < 2)
        {
            using var batch = await reader.ReadAsync();
            read.AddRange(batch.Messages.Select(message => (message.HeaderError, message.AgentId)));
        }

        Assert.Equal([(new MessageHeaderError(MessageHeaderFault.Malformed, "subject"), ""), (default, "_gateway-1")], read);
    }

    private static ConcurrentQueue<string> Watch(QueueConnection connection)
    {
        var errors = new ConcurrentQueue<string>();
        connection.Nats.ServerError += (_, error) =>
        {
            errors.Enqueue(error.Error);
            return ValueTask.CompletedTask;
        };
        return errors;
    }
}
