namespace Streams.Queue;

/// <summary>The result of one publish.</summary>
/// <param name="Ticket">The number that <see cref="Publisher.PublishAsync"/> gave; results come in the order of tickets, each exactly
/// once.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Sequence">Its stream sequence, if stored. Good for purging and nothing else: the server may give it again after a
/// loss.</param>
/// <param name="ErrorCode">JetStream's err_code, or 0.</param>
/// <param name="Bytes">Payload bytes, for giving back the memory.</param>
/// <param name="State">What the caller gave along.</param>
public readonly record struct PublishResult(ulong Ticket, PublishOutcome Outcome, ulong Sequence, int ErrorCode, int Bytes, object? State);
