using System.Net.Sockets;
using Streams.AgentLink.Session;
using Streams.Wire;

namespace Streams.Fuzz.Targets;

/// <summary>The agent's half of RFC 6455, fed by a peer that says anything and then hangs up.</summary>
internal sealed class WebSocketFuzz : FuzzTarget, IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"streams-fuzz-{Environment.ProcessId}-{Guid.NewGuid():N}");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public override string Name => "websocket";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return [0x82, 3, 1, 2, 3, 0x88, 2, 0x11, 0x30];
        yield return [0x02, 1, 1, 0x80, 1, 2, 0x89, 1, 7, 0x8a, 0];
        yield return [0x82, 126, 0, 200, .. new byte[200]];
        yield return [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (!_listener.IsBound)
        {
            _listener.Bind(new UnixDomainSocketEndPoint(_path));
            _listener.Listen(4);
        }

        using var peer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(_path));
        using var socket = _listener.Accept();
        peer.Send(input);
        peer.Shutdown(SocketShutdown.Send);
        using var connection = new WebSocketConnection(socket, []);
        var outcome = 0;
        try
        {
            while (true)
            {
                var message = connection.ReceiveAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
                Must(message.Length <= Limits.MaxControlFrameBytes && message.Length <= input.Length, "more than was sent");
                if (message.IsEmpty)
                {
                    return outcome + (connection.CloseCode == 0 ? 0 : 1000);
                }

                outcome += 2;
            }
        }
        catch (LinkEndedException ended)
        {
            return 10_000 + (int)ended.End.Reason;
        }
        catch (Exception gone) when (gone is SocketException or IOException)
        {
            return 20_000;
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }
}
