using System.Data.Common;
using Akka.Actor;
using Akka.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Streams.Gateway;
using Streams.Gateway.Encryption;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Queue;
using Streams.Services;
using Streams.Services.Http;
using Streams.Stages;
using Streams.Storage;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>
/// Composes one `streams serve` process of the roles it was given: an ActorSystem, the worker (which makes queue and tables), the services,
/// the gateway (which asks them), and operator HTTP. Started in this order. Stopped with the gateway first (no credit, goodbyes, what it
/// accepted is in the queue), then the services, then the worker (ranges committed or left to recovery, leases released), then the
/// ActorSystem in which gateway and worker run.
/// </summary>
internal static class ServeHost
{
    public static async Task<int> RunAsync(ServeOptions options, CancellationToken stop)
    {
        await using var abort = SecondSignal.Arm(stop);
        using var limit = StopLimit.Arm(stop, options.StopLimit);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        Configure(builder, options);
        await using var app = builder.Build();
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        using var gatewayMetrics = new GatewayMetrics();
        using var workerMetrics = new WorkerMetrics();
        StreamsWorker? worker = null;
        GatewayServer? gateway = null;
        await using var services = options.Services is { } settings ? new StreamsServices(settings, loggers) : null;
        OperatorHttp.Map(
            app,
            options.Gateway is null ? null : () => gateway?.Health(),
            options.Worker is null ? null : () => worker?.Health,
            services is null ? null : () => services.Health,
            services is null ? OperatorGate.IsLoopback : services.MayLook);
        services?.MapApi(app);
        await StartAsync(app, options, stop);
        var system = app.Services.GetRequiredService<ActorSystem>();
        await using var started = worker = options.Worker is { } work ? new StreamsWorker(work, system, workerMetrics, loggers) : null;
        gateway = options.Gateway is { } entry ? new GatewayServer(entry, system, gatewayMetrics, loggers) : null;
        try
        {
            await (worker?.StartAsync(stop) ?? Task.CompletedTask);
            await (services?.StartAsync(stop) ?? Task.CompletedTask);
            await using var disk = options.GuardDirectory is { } guarded && gateway is not null
                ? new DiskWatch(
                    DiskGuard.Of(guarded, options.DiskFloorBytes),
                    gateway.HoldCredit,
                    worker is null ? gateway.Alert : worker.Alert,
                    loggers.CreateLogger("Streams.Disk"))
                : null;
            await (gateway?.StartAsync(stop) ?? Task.CompletedTask);
            Say(options, gateway);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await (gateway?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
            await (services?.StopAsync() ?? Task.CompletedTask);
            await (worker?.StopAsync() ?? Task.CompletedTask);
            return 0;
        }
        catch (Exception failure) when (failure is GatewayException or ServicesException or QueueException or SchemaMismatchException or UnfitServerException
            or ArgumentException or DbException or TimeoutException)
        {
            throw new CommandFailure(failure.Message);
        }
        finally
        {
            await (gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
            await app.StopAsync(CancellationToken.None);
        }
    }

    private static void Say(ServeOptions options, GatewayServer? gateway)
    {
        var operators = $"operator {(options.OperatorTls is not null ? "https" : "http")}://{options.OperatorListen}/";
        Console.WriteLine(gateway is null ? operators : $"agents connect to {gateway.Address}; {operators}");
    }

    private static void Configure(WebApplicationBuilder builder, ServeOptions options)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Akka", LogLevel.Warning).AddFilter("NATS", LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Operators and a Prometheus server: a few connections, small requests.
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Listen(options.OperatorListen, listen =>
            {
                if (options.OperatorTls is not null)
                {
                    var certificate = kestrel.ApplicationServices.GetRequiredService<TlsCertificate>();
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current) });
                }
            });
        });
        if (options.OperatorTls is var (certificateFile, keyFile))
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
            builder.Services.AddSingleton(services => TlsCertificate.Load(
                certificateFile, keyFile, services.GetRequiredService<ILoggerFactory>().CreateLogger("Streams.Operator")));
        }
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.Services.AddAkka("streams", (akka, _) => akka
            .ConfigureLoggers(logging =>
            {
                // Akka writes to standard output by itself otherwise.
                logging.ClearLoggers();
                logging.AddLoggerFactory();
            })
            // At SIGTERM Akka would end the ActorSystem by itself, under gateway and worker that still drain in it.
            .AddHocon("akka.coordinated-shutdown.run-by-clr-shutdown-hook = off", HoconAddMode.Prepend)
            .AddHocon(GraphSettings.Configuration, HoconAddMode.Prepend));
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("streams"))
            .WithMetrics(metrics => metrics.AddMeter("Streams.*", "System.Runtime").AddPrometheusExporter());
    }

    private static async Task StartAsync(WebApplication app, ServeOptions options, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
        }
        catch (GatewayException failure)
        {
            throw new CommandFailure(failure.Message);
        }
        catch (IOException failure)
        {
            throw new CommandFailure(
                $"--operator-listen {options.OperatorListen}: {failure.InnerException?.Message ?? failure.Message}; "
                + "stop what listens there, or give another port");
        }
    }
}
