namespace Streams.Schema;

/// <summary>Why a stamped row is not stored. A closed list; the numbers are on the wire: append only.</summary>
public enum LossCause : ushort
{
    /// <summary>No counter explains it; must be 0 at a barrier.</summary>
    Unknown = 0,
    RingFull = 1,
    RateLimited = 2,
    Shed = 3,
    ReadFault = 4,
    Reader = 5,
    SpoolEvicted = 6,
    SpoolCorrupt = 7,
    AgentRestart = 8,
    ServerLost = 9,
    DeadLetter = 10,
    Expired = 11,
}
