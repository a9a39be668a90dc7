namespace Streams.Services.Registry;

/// <summary>What became of a gateway's notice.</summary>
internal enum NoticeOutcome
{
    /// <summary>It was so already, or nobody is known under the name.</summary>
    Nothing,

    /// <summary>The old key of a rotation is over.</summary>
    KeySettled,

    Quarantined,

    /// <summary>The agent's newest session is with another gateway, or it has none.</summary>
    NotItsGateway,

    /// <summary>As many were put into quarantine as may be for now.</summary>
    TooMany,
}
