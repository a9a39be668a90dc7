namespace Streams.AgentLink.Session;

/// <summary>Carries an end out of the set-up of a connection, where every step can fail; never thrown once a session runs.</summary>
internal sealed class LinkEndedException(LinkEnd end) : Exception(end.Detail)
{
    internal LinkEnd End { get; } = end;
}
