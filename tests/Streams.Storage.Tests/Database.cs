namespace Streams.Storage.Tests;

/// <summary>A database of one test in the engine of all.</summary>
internal sealed class Database : IAsyncDisposable
{
    private Database(Engine engine, string name)
    {
        Name = name;
        Client = new StorageClient(engine.Options with { Database = name });
    }

    public string Name { get; }

    public StorageClient Client { get; }

    public static async Task<Database> CreateAsync(Engine engine)
    {
        var name = "test_" + Guid.NewGuid().ToString("N");
        await engine.QueryAsync($"CREATE DATABASE {name}");
        return new Database(engine, name);
    }

    // The database goes with the engine's directory.
    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        return ValueTask.CompletedTask;
    }
}
