namespace Streams.Queue;

/// <summary>What is wrong with a header.</summary>
public enum MessageHeaderFault : byte
{
    None = 0,
    Missing,
    Repeated,
    Malformed,
    OutOfRange,
    UnknownEncoding,
}

/// <summary>The first fault found, and the header that has it; <see cref="MessageHeaderFault.None"/> if there is none.</summary>
public readonly record struct MessageHeaderError(MessageHeaderFault Fault, string Header);
