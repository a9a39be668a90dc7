using Streams.Gateway.Connections;
using Streams.Gateway.Ingest;
using Streams.Wire.Frames;

namespace Streams.Gateway.Encryption;

/// <summary>
/// Opens the frames of one session in the order in which they came, though two threads ask for it: the ingest graph for data frames, the connection's own loop
/// for the others, which must not wait behind a busy graph. Data frames that are not opened yet stand in a list; whoever asks for a later
/// frame opens those before it first. So counters stay in order, nobody waits for a thread that is busy elsewhere, and the crypto normally happens
/// in the graph.
/// </summary>
internal sealed class SessionOpener(IMessageOpener opener) : IDisposable
{
    private readonly Lock _gate = new();
    private IngestFrame? _head;
    private IngestFrame? _tail;
    private bool _disposed;

    /// <summary>Notes that this data frame is the next in order. Called by the connection's loop before the frame goes to the graph.</summary>
    public void Append(IngestFrame frame)
    {
        lock (_gate)
        {
            if (_tail is null)
            {
                _head = frame;
            }
            else
            {
                _tail.NextToOpen = frame;
            }

            _tail = frame;
        }
    }

    /// <summary>Opens a data frame, and those before it if need be, in place.</summary>
    public FrameError Open(IngestFrame frame)
    {
        lock (_gate)
        {
            while (frame.Opened is null && _head is not null)
            {
                OpenHead();
            }

            return frame.Opened ?? FrameError.Closed;
        }
    }

    /// <summary>Opens a frame that is not data, in place, after all data frames that came before it.</summary>
    public FrameError Open(in ReceivedMessage message, out OpenedMessage opened)
    {
        lock (_gate)
        {
            OpenAll();
            if (_disposed)
            {
                opened = default;
                return FrameError.Closed;
            }

            return opener.Open(in message, out opened);
        }
    }

    /// <summary>Opens what came before the end, then gives the key back. Idempotent.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                OpenAll();
                _disposed = true;
                opener.Dispose();
            }
        }
    }

    private void OpenAll()
    {
        while (_head is not null)
        {
            OpenHead();
        }
    }

    private void OpenHead()
    {
        var frame = _head!;
        _head = frame.NextToOpen;
        frame.NextToOpen = null;
        if (_head is null)
        {
            _tail = null;
        }

        // A frame that a failed graph has given up is settled: its bytes are gone, and with a gap in the counters so is the session. One that is given up while
        // it is decrypted keeps its bytes until that is done: written in place, they would otherwise spoil the frame of whoever rented them next.
        if (_disposed || !frame.TryHold())
        {
            frame.Opened = FrameError.Closed;
            return;
        }

        try
        {
            frame.Opened = opener.OpenData(frame);
        }
        finally
        {
            frame.Release();
        }
    }
}
