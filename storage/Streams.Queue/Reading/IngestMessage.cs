using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>One message of a partition. <see cref="Payload"/> is valid until its batch is disposed.</summary>
public readonly struct IngestMessage
{
    private readonly NatsMemoryOwner<byte> _owner;

    internal IngestMessage(ulong sequence, string agentId, NatsHeaders? headers, NatsMemoryOwner<byte> owner)
    {
        Sequence = sequence;
        AgentId = agentId;
        _owner = owner;
        HeaderError = MessageHeaders.TryRead(headers, out var read);
        Headers = read;
        if (HeaderError.Fault == MessageHeaderFault.None && !Subjects.IsAgentId(agentId))
            HeaderError = new MessageHeaderError(MessageHeaderFault.Malformed, "subject");
    }

    /// <summary>Stream sequence: where to read on and what to purge, never an identity.</summary>
    public ulong Sequence { get; }

    /// <summary>From the subject, to which only a gateway may publish, or the role in it; a producer on a subject that is not its own is a header error.</summary>
    public string AgentId { get; }

    /// <summary>Valid if <see cref="HeaderError"/> has no fault.</summary>
    public MessageHeaders Headers { get; }

    public MessageHeaderError HeaderError { get; }

    public ReadOnlyMemory<byte> Payload => _owner.Memory;

    internal void Release() => _owner.Dispose();
}
