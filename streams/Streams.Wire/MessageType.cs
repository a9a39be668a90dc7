namespace Streams.Wire;

/// <summary>The specification's three types of a message. Numbers are the wire's, append only.</summary>
public enum MessageType : byte
{
    Request = 1,
    Response = 2,
    Event = 3,
}

/// <summary>Which types a channel takes in one direction.</summary>
[Flags]
public enum MessageTypes : byte
{
    None = 0,
    Request = 1,
    Response = 2,
    Event = 4,
}
