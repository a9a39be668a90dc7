using System.Globalization;
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
        _http = new HttpClient(new ExpectContinueHandler(new SocketsHttpHandler
        {
            Expect100ContinueTimeout = options.InsertTimeout, // never without the server's word; the probe at the start refuses a mute one
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), // below the server's keep-alive, so that none is found dead
            AutomaticDecompression = System.Net.DecompressionMethods.All,
        }))
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

    /// <summary>
    /// Makes the configured database if it is not there; asked of the server's own one, because a query in a missing database is refused.
    /// </summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    /// <exception cref="TimeoutException">It did not answer in time.</exception>
    public Task CreateDatabaseAsync(CancellationToken cancellation = default) => ExecuteAsync(
        $"CREATE DATABASE IF NOT EXISTS {Sql.Identifier(Options.Database)}", new QueryOptions { Database = "default" }, cancellation);

    /// <summary>Runs a statement without result.</summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    /// <exception cref="TimeoutException">It did not answer in time.</exception>
    public Task ExecuteAsync(string sql, CancellationToken cancellation = default) => ExecuteAsync(sql, null, cancellation);

    /// <summary>Runs a query and maps each row.</summary>
    /// <exception cref="ClickHouseServerException">The server refused it.</exception>
    /// <exception cref="TimeoutException">It did not answer in time.</exception>
    public Task<List<T>> QueryAsync<T>(string sql, Func<ClickHouseDataReader, T> map, CancellationToken cancellation = default) =>
        LimitedAsync(
        async token =>
        {
            await using var reader = await Driver.ExecuteReaderAsync(sql, null, null, token).ConfigureAwait(false);
            var rows = new List<T>();
            while (await reader.ReadAsync(token).ConfigureAwait(false))
            {
                rows.Add(map(reader));
            }

            return rows;
        },
        cancellation);

    /// <summary>Runs a query and hands its answer over while it arrives.</summary>
    /// <exception cref="HttpRequestException">The server refused it; the message is its own.</exception>
    internal async Task<Stream> OpenAsync(string sql, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Options.Url) { Content = new StringContent(sql) };
        request.Headers.Add("X-ClickHouse-User", Options.User);
        request.Headers.Add("X-ClickHouse-Key", Options.Password);
        request.Headers.Add("X-ClickHouse-Database", Options.Database);
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            using (response)
            {
                throw new HttpRequestException(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
            }
        }

        return await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        Driver.Dispose();
        _http.Dispose();
    }

    private Task<long> ExecuteAsync(string sql, QueryOptions? options, CancellationToken cancellation) => LimitedAsync(
        async token =>
        {
            using var result = await Driver.ExecuteRawResultAsync(sql, options, token).ConfigureAwait(false);
            await result.CopyToAsync(Stream.Null).ConfigureAwait(false);
            return 0L;
        },
        cancellation);

    // A time limit is the server's fault and not the caller's wish to stop: the two must not look the same.
    private async Task<T> LimitedAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Options.QueryTimeout);
        try
        {
            return await call(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            var limited = Options.QueryTimeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
            throw new TimeoutException($"ClickHouse at {Options.Url} did not answer within {limited} s", error);
        }
    }
}
