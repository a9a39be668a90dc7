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
    [InlineData(QueueRole.Worker, "ingest.0.agent-1.x")]
    [InlineData(QueueRole.Worker, "$KV.identities.agent-1")]
    [InlineData(QueueRole.Worker, "$KV.sessions.agent-1")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.DELETE.INGEST_0")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.PURGE.KV_sessions")]
    [InlineData(QueueRole.Worker, "$JS.API.STREAM.UPDATE.INGEST_0")]
    [InlineData(QueueRole.Worker, "watermarks.0")]
    [InlineData(QueueRole.Worker, "_INBOX.gateway.x.y")]
    [InlineData(QueueRole.Worker, "_REPLY.gateway.x.0.1")]
    [InlineData(QueueRole.Gateway, "_ANSWER.x.1")]
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
