using System.Numerics;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Queueing;

/// <summary>
/// What a session still has to be told. Credit, watermarks and heartbeats are states, so of each at most one waits and it is written with what holds when
/// it is sent. Other control messages stand in a queue of bounded length. The order is: the session's first frame, credit, watermarks, heartbeat, control,
/// and goodbye last. Nothing is allocated for a session that is idle. Thread-safe.
/// </summary>
internal sealed class OutboundQueue
{
    /// <summary>Control messages that may wait for a slow agent before its session ends.</summary>
    public const int MaxMessages = 64;

    private readonly Lock _gate = new();
    private Queue<OutboundMessage>? _messages;
    private uint _states;
    private bool _sending;
    private bool _closed;

    /// <summary>Notes that a state must be told. True when the caller must start the sender.</summary>
    public bool Raise(FrameType state)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            _states |= Bit(state);
            return Start();
        }
    }

    /// <summary>Adds a control message; false when too many wait.</summary>
    public bool TryAdd(OutboundMessage message, out bool start)
    {
        lock (_gate)
        {
            _messages ??= new Queue<OutboundMessage>(1);
            if (_closed || _messages.Count >= MaxMessages)
            {
                start = false;
                return _closed;
            }

            _messages.Enqueue(message);
            start = Start();
            return true;
        }
    }

    /// <summary>Nothing is taken any more; what waits is dropped except errors, which say why, and if wanted a goodbye. True when the caller must start the sender.</summary>
    public bool Close(bool goodbye)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            _closed = true;
            _messages = Errors(_messages);
            _states = goodbye ? Bit(FrameType.Goodbye) : 0;
            return Start();
        }
    }

    /// <summary>Takes the next thing to send. False: nothing waits, and the sender is idle from here on.</summary>
    /// <param name="last">Nothing will follow: the connection is to be closed.</param>
    public bool TryTake(out OutboundMessage message, out bool last)
    {
        lock (_gate)
        {
            last = false;
            // Goodbye is the last word, also after an error that explains it.
            if (_states != 0 && !(_closed && _messages is { Count: > 0 }))
            {
                var type = (FrameType)((int)FrameType.Session + BitOperations.TrailingZeroCount(_states));
                _states &= _states - 1;
                message = new OutboundMessage(type, default);
                return true;
            }

            if (_messages is not null && _messages.TryDequeue(out message))
            {
                return true;
            }

            message = default;
            _messages = null;
            _sending = false;
            last = _closed;
            return false;
        }
    }

    private static Queue<OutboundMessage>? Errors(Queue<OutboundMessage>? messages) =>
        messages is null ? null : new Queue<OutboundMessage>(messages.Where(static message => message.Type == FrameType.GatewayError));

    private static uint Bit(FrameType type) => 1U << ((int)type - (int)FrameType.Session);

    private bool Start()
    {
        if (_sending)
        {
            return false;
        }

        _sending = true;
        return true;
    }
}

/// <summary>A frame to be sent.</summary>
/// <param name="Payload">Empty for states and messages, whose payload is written when they are sent.</param>
/// <param name="Message">A control message: signed when it is sent, because the signature names the frame's place.</param>
internal readonly record struct OutboundMessage(FrameType Type, ReadOnlyMemory<byte> Payload, ControlMessage? Message = null)
{
    public bool IsState => Payload.IsEmpty && Message is null;
}
