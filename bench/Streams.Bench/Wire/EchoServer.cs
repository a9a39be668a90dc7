using System.Buffers;
using System.CommandLine;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Streams.Bench.Wire;

/// <summary>
/// The peer of <see cref="IdleCase"/>: a WebSocket echo on Kestrel that holds nothing while it waits. A receive into no buffer returns when a
/// message is there, so an idle connection costs Kestrel, the socket and this loop.
/// </summary>
internal static class EchoServer
{
    public const string Verb = "echo";

    public static Command Create()
    {
        var command = new Command(Verb, "A bare Kestrel WebSocket echo that prints its port; the peer of `wire`.") { Hidden = true };
        command.SetAction(async (_, stop) =>
        {
            var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            await using var app = builder.Build();
            app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
            app.MapGet("/", static async http =>
            {
                using var socket = await http.WebSockets.AcceptWebSocketAsync();
                await EchoAsync(socket);
            });
            await app.StartAsync(stop);
            Console.WriteLine(new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        });
        return command;
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        while (true)
        {
            if ((await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None)).MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            var buffer = ArrayPool<byte>.Shared.Rent(4096);
            var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
