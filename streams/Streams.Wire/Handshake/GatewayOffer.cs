namespace Streams.Wire.Handshake;

/// <summary>What a gateway offers in one handshake.</summary>
/// <param name="Versions">All of them are spoken; the agent takes the highest that it speaks too.</param>
/// <param name="AllowsEnrolment">Whether a peer without an identity may have a session of mode enrol.</param>
public sealed record GatewayOffer(VersionRange Versions, bool AllowsEnrolment)
{
    internal static GatewayOffer Default { get; } = new(Protocol.Versions, AllowsEnrolment: false);
}
