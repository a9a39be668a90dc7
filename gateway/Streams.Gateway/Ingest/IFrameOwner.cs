using Streams.Gateway.Encryption;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Wire;

namespace Streams.Gateway.Ingest;

/// <summary>The session of a frame, as the graph sees it.</summary>
internal interface IFrameOwner
{
    SessionOpener Opener { get; }

    LaneTable Lanes { get; }

    AgentRoute Route { get; }

    /// <summary>None while the session lives.</summary>
    SessionEnd Ended { get; }

    /// <summary>A lane has to go back, or to wait: the agent is told. Never blocks.</summary>
    void TellOrders();

    /// <summary>
    /// A message of the session may or may not be in the queue: the worker is asked soon where the lanes stand. Never blocks.
    /// </summary>
    void Doubt();

    /// <summary>Tells the agent what is wrong with a message. Never blocks.</summary>
    void Refused(WireError error, byte channel, string id, string field);

    /// <summary>Ends the session; the first reason counts. Never blocks.</summary>
    void End(SessionEnd end);
}
