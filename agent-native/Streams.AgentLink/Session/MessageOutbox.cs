using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>
/// Control messages that wait for the send loop, in order, bounded in number and bytes: the agent has 16 MB for everything. They outlive a session; what was
/// refused of an old session does not. Nothing is allocated while none waits. Thread-safe.
/// </summary>
internal sealed class MessageOutbox
{
    internal const int MaxMessages = 64;
    internal const int MaxBytes = 128 * 1024;

    /// <summary>Errors that wait: more are dropped, they are answers to what nobody should have sent.</summary>
    internal const int MaxErrors = 16;

    /// <summary>What fits a frame.</summary>
    internal const int MaxMessageBytes = Limits.MaxControlFrameBytes - FrameHeader.Overhead;

    private readonly Lock _gate = new();
    private Queue<ControlMessage>? _messages;
    private Queue<ErrorMessage>? _errors;
    private int _bytes;

    internal bool TryAdd(ControlMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var error = Channels.CheckMessage(Channels.Find(message.Channel), ChannelDirection.AgentToGateway, message.Module, message.Type);
        error = error == WireError.None && !MessageId.IsValid(message.Id) ? WireError.BadValue : error;
        var length = MessageFrame.GetLength(message);
        if (error != WireError.None || length > MaxMessageBytes)
        {
            throw new ArgumentException($"not a message of an agent: {(error != WireError.None ? error : WireError.TooLarge).Label()}", nameof(message));
        }

        lock (_gate)
        {
            if (_messages?.Count >= MaxMessages || _bytes + length > MaxBytes)
            {
                return false;
            }

            (_messages ??= new Queue<ControlMessage>(1)).Enqueue(message);
            _bytes += length;
            return true;
        }
    }

    internal bool TryRefuse(ErrorMessage error)
    {
        lock (_gate)
        {
            if (_errors?.Count >= MaxErrors)
            {
                return false;
            }

            (_errors ??= new Queue<ErrorMessage>(1)).Enqueue(error);
            return true;
        }
    }

    /// <summary>What was refused belongs to the session that refused it.</summary>
    internal void SessionBegan()
    {
        lock (_gate)
        {
            _errors = null;
        }
    }

    internal bool TryTake(out ControlMessage? message, out ErrorMessage? error)
    {
        lock (_gate)
        {
            message = null;
            if (_errors is not null && _errors.TryDequeue(out error))
            {
                return true;
            }

            error = null;
            if (_messages is null || !_messages.TryDequeue(out message))
            {
                _messages = null;
                _errors = null;
                return false;
            }

            _bytes -= MessageFrame.GetLength(message);
            return true;
        }
    }
}
