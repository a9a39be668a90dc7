using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Gateway.Auth;
using Streams.Gateway.Connections;
using Streams.Gateway.Encryption;
using Streams.Wire;

namespace Streams.Gateway;

/// <summary>The agents' port.</summary>
public sealed partial class GatewayServer
{
    private async Task ListenAsync(GatewayCore core, CancellationToken cancel)
    {
        var gate = Own(new HandshakeGate(_options.MaxHandshakes, _options.SourceHandshakes, _options.HandshakeQueue));
        var sources = new SourceBuckets(_options.SourceRate, _options.SourceBurst);
        var filter = new ConnectionFilter(
            core, sources, new SourcePlaces(_options.SourceConnections), Own(new HandshakeGate(_options.MaxHandshakes, _options.SourceHandshakes, _options.HandshakeQueue)));
        var certificate = _options is { TlsCertificateFile: { } file, TlsKeyFile: { } key }
            ? OwnAsync(TlsCertificate.Load(file, key, _logger, _time, _options.TlsInterval)) : null;
        _endpoint = new AgentEndpoint(core, sources, gate, secure: certificate is not null);
        if (certificate is not null)
        {
            _metrics.ObserveTls(() => certificate.NotAfter);
        }

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_loggers);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Patience);
        builder.WebHost.UseKestrelHttpsConfiguration();
        // Nothing here blocks, so a hop to another thread between socket, pipe and session is for nothing: three of them for each message of a handshake.
        builder.WebHost.UseSockets(static sockets =>
        {
            sockets.UnsafePreferInlineScheduling = true;
            sockets.CreateBoundListenSocket = ListenSocket.Create;
        });
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, _options, filter, certificate, _endpoint));
        _web = OwnAsync(builder.Build());
        try
        {
            await _web.StartAsync(cancel).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            var why = error.InnerException?.Message ?? error.Message;
            throw new GatewayException($"cannot listen on {_options.Listen}: {why}: stop what listens there, or give another port", error);
        }

        var address = new Uri(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Address = new IPEndPoint(_options.Listen.Address, address.Port);
    }

    private static void Configure(KestrelServerOptions kestrel, GatewayOptions options, ConnectionFilter filter, TlsCertificate? certificate, AgentEndpoint endpoint)
    {
        // Unlimited by default.
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Listen(options.Listen, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (options.ProxyFrom.Count > 0)
            {
                listen.Use(next => connection => filter.ProxyAsync(connection, next));
            }

            listen.Use(next => connection => filter.AdmitAsync(connection, next));
            if (certificate is not null)
            {
                listen.Use(next => connection => filter.BeforeSecureAsync(connection, next));
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    HandshakeTimeout = TimeSpan.FromSeconds(Limits.HandshakeSeconds),
                    OnConnection = _ => ValueTask.FromResult(certificate.Current),
                });
                listen.Use(next => connection => ConnectionFilter.AfterSecureAsync(connection, next));
            }

            // In HTTP's place: of it this port needs one request, and what Kestrel and the WebSocket middleware keep for more is a third of an idle session.
            listen.Run(endpoint.HandleAsync);
        });
    }
}
