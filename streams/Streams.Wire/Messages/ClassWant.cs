namespace Streams.Wire.Messages;

/// <summary>What one lane class has to send.</summary>
/// <param name="NextFrameBytes">Bytes of its next frame with header and tag; 0 = nothing. A grant covers it whole or is not given.</param>
/// <param name="QueuedBytes">Bytes of all that waits, about; lets the gateway grant several frames at once.</param>
public readonly record struct ClassWant(uint NextFrameBytes, uint QueuedBytes);
