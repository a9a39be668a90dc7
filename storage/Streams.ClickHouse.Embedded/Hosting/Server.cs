using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Streams.ClickHouse.Embedded.Engine;
using Streams.ClickHouse.Embedded.Http;

namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>Kestrel in front of the engine, from the open socket to the closed connections.</summary>
internal static partial class Server
{
    // Statements get that long to end after SIGTERM before they are killed.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    // How long a killed statement may take to notice.
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);

    // ClickHouse's http_max_uri_size: a query may be in the URL.
    private const int MaxUriBytes = 1024 * 1024;

    /// <returns>Null after an orderly stop, otherwise one line for the operator.</returns>
    public static async Task<string?> RunAsync(ServerOptions options, Credentials credentials, EngineHost host)
    {
        // The engine's call and the reader of its pipe block one pool thread each.
        ThreadPool.GetMinThreads(out _, out var completion);
        ThreadPool.SetMinThreads((2 * options.MaxConnections) + 16, completion);

        await using var app = Build(options, credentials, host);
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(nameof(Server));
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (IOException fault)
        {
            return fault.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied }
                ? $"--listen {options.Listen} is not allowed for this user; choose a port above 1023"
                : $"--listen {options.Listen} is in use or cannot be bound; choose another port, or 0 for a free one";
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        LogStarted(log, host.Version, options.Data, options.MaxConnections);
        await Console.Out.WriteLineAsync($"listening on {address}").ConfigureAwait(false);
        await Console.Out.FlushAsync().ConfigureAwait(false);

        await app.WaitForShutdownAsync().ConfigureAwait(false);
        var deadline = DateTime.UtcNow + KillLimit;
        while (host.Active > 0 && DateTime.UtcNow < deadline)
            await Task.Delay(20).ConfigureAwait(false);
        var left = host.Active;
        LogStopped(log, left);
        return left == 0 ? null : $"{left} statements did not end when killed; the engine could not be closed in order";
    }

    private static WebApplication Build(ServerOptions options, Credentials credentials, EngineHost host)
    {
        // Empty: no configuration files, no environment variables, nothing that could open a second address.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "streams-clickhouse" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Logging.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None).AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = Grace);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(options).AddSingleton(credentials).AddSingleton(host).AddSingleton<ServerMetrics>().AddSingleton<QueryEndpoint>();
        builder.Services.AddSingleton(new SpoolBudget(options.MaxBody, checked(4 * options.MaxBody)));
        var app = builder.Build();
        var endpoint = app.Services.GetRequiredService<QueryEndpoint>();
        app.Run(context => Routes.HandleAsync(context, endpoint));
        return app;
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        // Each waiting request holds a connection; three rounds of them may wait.
        kestrel.Limits.MaxConcurrentConnections = Math.Max(64, 4 * options.MaxConnections);
        kestrel.Limits.MaxRequestLineSize = MaxUriBytes;
        kestrel.Limits.MaxRequestBufferSize = MaxUriBytes + (64 * 1024);
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        // 0: a flush ends when the kernel has the bytes, which Answer.BreakAsync relies on; the engine's pipe is the buffer.
        kestrel.Limits.MaxResponseBufferSize = 0;
        kestrel.Limits.MaxRequestBodySize = options.MaxBody;
        // ClickHouse waits 30 s for a peer that neither reads nor writes (http_send_timeout, http_receive_timeout).
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(30));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(30));
        kestrel.Listen(options.Listen, listen => listen.Protocols = HttpProtocols.Http1);
    }

    [LoggerMessage(7000, LogLevel.Information, "ClickHouse {Version} serves {Data} with {Connections} connections")]
    private static partial void LogStarted(ILogger log, string version, string data, int connections);

    [LoggerMessage(7001, LogLevel.Information, "stopped; {Left} statements left")]
    private static partial void LogStopped(ILogger log, int left);
}
