using Streams.Gateway.Encryption;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;

namespace Streams.Gateway.Ingest;

/// <summary>The session of a frame, as the graph sees it.</summary>
internal interface IFrameOwner
{
    SessionOpener Opener { get; }

    LaneTable Lanes { get; }

    AgentRoute Route { get; }

    /// <summary>None while the session lives.</summary>
    SessionEnd Ended { get; }

    /// <summary>Ends the session; the first reason counts. Never blocks.</summary>
    void End(SessionEnd end);
}
