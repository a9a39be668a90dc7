using System.Net.Sockets;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>
/// Tells what the client or the server did from what our own caller asked for. The client's own time limits surface as
/// <see cref="OperationCanceledException"/> (of a token that is not ours): taken for a stop, they would end loops that must go on.
/// </summary>
internal static class ClientFault
{
    /// <summary>True when the queue failed; false for the caller's own cancellation and for faults of this program.</summary>
    public static bool Is(Exception error, CancellationToken cancel) => error switch
    {
        NatsException or IOException or SocketException => true,
        OperationCanceledException or TimeoutException => !cancel.IsCancellationRequested,
        _ => false,
    };

    /// <summary>The reason in one line; "operation was canceled" would tell an operator nothing.</summary>
    public static string Reason(Exception error) =>
        error is OperationCanceledException or TimeoutException ? "the server did not answer in time" : error.Message;
}
