using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Streams.Bench.Chaos.Kernel;

/// <summary>Connections of this process, each to an address that is its number: 127.64.0.0 and up, all to one port.</summary>
internal sealed class NumberedConnects : IAsyncDisposable
{
    private const int Backlog = 1024;
    private const int Highest = 190 << 16;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(20);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accept;
    private readonly Task _connect;
    private int _made;

    private NumberedConnects(int rate)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        _listener.Listen(Backlog);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accept = Task.Factory.StartNew(Accept, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _connect = Task.Run(() => ConnectAsync(rate));
    }

    public int Port { get; }

    /// <summary>Connections that stood; numbers 0 to this minus 1 were used, each once.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <param name="rate">Connections a second that are tried for.</param>
    public static NumberedConnects Start(int rate) => new(rate);

    /// <summary>As ClickHouse compares addresses.</summary>
    public static string Literal(int number) => string.Create(
        CultureInfo.InvariantCulture, $"toIPv6('::ffff:127.{64 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}')");

    /// <exception cref="SocketException">A connection was refused: the numbers are not what was made.</exception>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _connect;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _connect.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Close();
        await _accept;
        _stop.Dispose();
    }

    private async Task ConnectAsync(int rate)
    {
        var each = Math.Max(1, (int)(rate * Beat.TotalSeconds));
        using var timer = new PeriodicTimer(Beat);
        while (!_stop.IsCancellationRequested)
        {
            for (var i = 0; i < each && _made < Highest; i++)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                // No TIME_WAIT: the local ports would run out.
                socket.LingerState = new LingerOption(true, 0);
                socket.Connect(new IPAddress([127, (byte)(64 + (_made >> 16)), (byte)(_made >> 8), (byte)_made]), Port);
                Volatile.Write(ref _made, _made + 1);
            }

            await timer.WaitForNextTickAsync().ConfigureAwait(false);
        }
    }

    private void Accept()
    {
        while (true)
        {
            try
            {
                _listener.Accept().Dispose();
            }
            catch (SocketException) when (!_stop.IsCancellationRequested)
            {
                // The other end was gone before it was accepted.
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
