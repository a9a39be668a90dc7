using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>One server for the tests that do not harm it; tables carry the name of their test.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    public const string Name = "shared streams-clickhouse";

    private readonly TempDirectory _directory = new("embedded");

    public ServerProcess Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await ServerProcess.StartAsync(_directory);

    public async Task DisposeAsync()
    {
        var code = await Server.StopAsync();
        var errors = Server.Errors;
        await Server.DisposeAsync();
        _directory.Dispose();
        Assert.True(code == 0, $"exit code {code} after SIGTERM; {errors}");
        Assert.DoesNotContain(" fail: ", errors); // an unexpected exception inside the server
    }
}

[CollectionDefinition(SharedServer.Name)]
public sealed class SharedServerCollection : ICollectionFixture<SharedServer>;
