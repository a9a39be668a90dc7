using System.Buffers.Text;

namespace Streams.Control.Identity;

/// <summary>
/// The document of an event on <c>agent.registry</c>: what fleet roots say, base64url, empty where nothing is said. The agent believes a
/// root that it pins, never the gateway.
/// </summary>
/// <param name="Revocations">A <see cref="Wire.Handshake.RevocationList"/>.</param>
/// <param name="Succession">A <see cref="Wire.Handshake.RootSuccession"/>.</param>
public sealed record RegistryEvent(string Revocations = "", string Succession = "")
{
    /// <summary>The bytes of one of the fields; empty when it is, null when it is not base64url.</summary>
    public static byte[]? Read(string field)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(field.Length)];
        return CanonicalBase64.TryRead(field, bytes) ? bytes : null;
    }
}
