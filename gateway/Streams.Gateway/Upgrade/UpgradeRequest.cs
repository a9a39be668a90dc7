namespace Streams.Gateway.Upgrade;

/// <summary>A request for an upgrade to WebSocket that may be granted (RFC 6455 4.2.1).</summary>
/// <param name="Target">Request target, exactly as sent: it is in the transcript.</param>
/// <param name="Offers">Value of the one Sec-WebSocket-Protocol header; empty without one.</param>
/// <param name="Key">Sec-WebSocket-Key, 24 characters of base64.</param>
internal sealed record UpgradeRequest(string Target, string Offers, string Key);
