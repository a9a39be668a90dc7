using Microsoft.Extensions.Logging.Abstractions;
using Streams.Schema;
using Streams.Testing;

namespace Streams.Storage.Tests;

/// <summary>One real engine for all tests of this project, migrated once.</summary>
public sealed class Engine : IAsyncLifetime
{
    private readonly ClickHouseProcess _process = new();
    private StorageClient? _client;
    private int _labels;

    public StorageClient Client => _client ?? throw new InvalidOperationException("not started");

    public StorageOptions Options => new() { Url = _process.Url, User = _process.User, Password = _process.Password };

    public Task<string> QueryAsync(string sql) => _process.QueryAsync(sql);

    public async Task InitializeAsync()
    {
        await _process.InitializeAsync();
        _client = new StorageClient(Options);
        await Migrator(_client).RunAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        await _process.DisposeAsync();
    }

    public static Migrator Migrator(StorageClient client) => new(client, NoLease.Instance, "test", NullLogger<Migrator>.Instance);

    /// <summary>Inserts a block under a token of its own, or the given one.</summary>
    public async Task<InsertResult> InsertAsync(NativeBlock block, string? token = null, bool repeated = false)
    {
        using var buffer = new SegmentedBuffer();
        using var metrics = new StorageMetrics();
        return await new TableInserter(Client, metrics).InsertAsync(
            block, buffer, token ?? Guid.NewGuid().ToString("N"), new InsertLabel("test", Interlocked.Increment(ref _labels)),
            repeated, default);
    }

    /// <summary>Makes the table of a class that is not in the catalogue.</summary>
    public async Task CreateAsync(EventClass eventClass)
    {
        await Client.ExecuteAsync($"DROP TABLE IF EXISTS {eventClass.Name}");
        await Client.ExecuteAsync(ClassTable.For(eventClass).CreateStatement());
    }
}

[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<Engine>
{
    public const string Name = "engine";
}
