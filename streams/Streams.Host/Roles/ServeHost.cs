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
using Streams.Stages;
using Streams.Storage;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>
/// Composes one `streams serve` process: an ActorSystem, the worker (which makes queue and tables), the gateway, and operator HTTP. Started
/// in this order. Stopped with the gateway first (no credit, goodbyes, what it accepted is in the queue), then the worker (ranges committed
/// or left to recovery, leases released), then the ActorSystem in which both run.
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
        OperatorHttp.Map(app, () => gateway?.Health(), () => worker?.Health);
        await StartAsync(app, options, stop);
        var system = app.Services.GetRequiredService<ActorSystem>();
        await using var started = worker = new StreamsWorker(options.Worker, system, workerMetrics, loggers);
        gateway = new GatewayServer(options.Gateway, system, gatewayMetrics, loggers);
        try
        {
            await worker.StartAsync(stop);
            await using var disk = options.GuardDirectory is { } guarded
                ? new DiskWatch(
                    DiskGuard.Of(guarded, options.DiskFloorBytes), gateway.HoldCredit, worker.Alert, loggers.CreateLogger("Streams.Disk"))
                : null;
            await gateway.StartAsync(stop);
            Console.WriteLine($"agents connect to {gateway.Address}; operator {(options.OperatorTls ? "https" : "http")}://{options.Gateway.OperatorListen}/");
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await gateway.StopAsync(CancellationToken.None);
            await worker.StopAsync();
            return 0;
        }
        catch (Exception failure) when (failure is GatewayException or QueueException or SchemaMismatchException or UnfitServerException
            or ArgumentException or DbException or TimeoutException)
        {
            throw new CommandFailure(failure.Message);
        }
        finally
        {
            await gateway.DisposeAsync();
            await app.StopAsync(CancellationToken.None);
        }
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
            kestrel.Listen(options.Gateway.OperatorListen, listen =>
            {
                if (options.OperatorTls)
                {
                    var certificate = kestrel.ApplicationServices.GetRequiredService<TlsCertificate>();
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current) });
                }
            });
        });
        if (options.OperatorTls)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
            builder.Services.AddSingleton(services => TlsCertificate.Load(
                options.Gateway.TlsCertificateFile!, options.Gateway.TlsKeyFile!, services.GetRequiredService<ILoggerFactory>().CreateLogger("Streams.Operator")));
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
            .WithMetrics(metrics => metrics.AddMeter("Streams.*").AddPrometheusExporter());
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
                $"--operator-listen {options.Gateway.OperatorListen}: {failure.InnerException?.Message ?? failure.Message}; "
                + "stop what listens there, or give another port");
        }
    }
}
