using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Readers;

namespace Streams.Storage;

/// <summary>One connection pool to ClickHouse, shared by inserts and queries. Thread-safe.</summary>
public sealed class StorageClient : IDisposable
{
    private readonly HttpClient _http;

    public StorageClient(StorageOptions options)
    {
        options.Validate();
        Options = options;
        _http = new HttpClient(new SocketsHttpHandler
        {
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), // below the server's keep-alive, so that none is found dead
            AutomaticDecompression = System.Net.DecompressionMethods.All,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // every call carries its own
        };
        Driver = new ClickHouseClient(new ClickHouseClientSettings
        {
            Host = options.Url.Host,
            Port = (ushort)options.Url.Port,
            Protocol = options.Url.Scheme,
            Path = options.Url.AbsolutePath == "/" ? "" : options.Url.AbsolutePath.Trim('/'),
            Username = options.User,
            Password = options.Password,
            Database = options.Database,
            UseCompression = false, // loopback or a rack: the copy costs more than the bytes
            Timeout = options.QueryTimeout,
            HttpClient = _http,
        });
    }

    public StorageOptions Options { get; }

    internal ClickHouseClient Driver { get; }

    /// <summary>Makes the configured database if it is not there; asked of the server's own one, because a query in a missing database is refused.</summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    public async Task CreateDatabaseAsync(CancellationToken cancellation = default)
    {
        using var timeout = Timer(cancellation);
        using var result = await Driver.ExecuteRawResultAsync(
            $"CREATE DATABASE IF NOT EXISTS {Sql.Identifier(Options.Database)}", new QueryOptions { Database = "default" }, timeout.Token).ConfigureAwait(false);
        await result.CopyToAsync(Stream.Null).ConfigureAwait(false);
    }

    /// <summary>Runs a statement without result.</summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    public async Task ExecuteAsync(string sql, CancellationToken cancellation = default)
    {
        using var timeout = Timer(cancellation);
        using var result = await Driver.ExecuteRawResultAsync(sql, null, timeout.Token).ConfigureAwait(false);
        await result.CopyToAsync(Stream.Null).ConfigureAwait(false);
    }

    /// <summary>Runs a query and maps each row.</summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    public async Task<List<T>> QueryAsync<T>(string sql, Func<ClickHouseDataReader, T> map, CancellationToken cancellation = default)
    {
        using var timeout = Timer(cancellation);
        await using var reader = await Driver.ExecuteReaderAsync(sql, null, null, timeout.Token).ConfigureAwait(false);
        var rows = new List<T>();
        while (await reader.ReadAsync(timeout.Token).ConfigureAwait(false))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    public void Dispose()
    {
        Driver.Dispose();
        _http.Dispose();
    }

    private CancellationTokenSource Timer(CancellationToken cancellation)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        source.CancelAfter(Options.QueryTimeout);
        return source;
    }
}
