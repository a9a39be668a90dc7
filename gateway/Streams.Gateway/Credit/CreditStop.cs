namespace Streams.Gateway.Credit;

/// <summary>Why a pool grants nothing; each is set and cleared by one part, and credit flows when none stands.</summary>
[Flags]
internal enum CreditStop
{
    None = 0,

    /// <summary>The queue is away.</summary>
    QueueAway = 1,

    /// <summary>Somebody asked for it, e.g. the guard of the disk.</summary>
    Held = 2,

    /// <summary>The gateway stops.</summary>
    Draining = 4,
}
