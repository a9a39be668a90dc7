using Streams.Wire.Crypto;

namespace Streams.Wire.Keys;

/// <summary>The key schedule of PROTOCOL.md: one HKDF tree per connection, one chain per direction.</summary>
internal static class KeySchedule
{
    internal const int SecretSize = 32;
    internal const int KeySize = 32;
    internal const int IvSize = 12;
    internal const int SessionIdSize = 16;
    internal const int ExporterSize = 32;

    internal static ReadOnlySpan<byte> AgentToGatewayLabel => "streams/1 a2g"u8;

    internal static ReadOnlySpan<byte> GatewayToAgentLabel => "streams/1 g2a"u8;

    internal static ReadOnlySpan<byte> SessionIdLabel => "streams/1 session id"u8;

    internal static ReadOnlySpan<byte> ExporterLabel => "streams/1 exporter"u8;

    /// <summary>prk = Extract(salt = h3, IKM = Z ‖ psk); psk is empty in this version.</summary>
    internal static void Extract(ReadOnlySpan<byte> h3, ReadOnlySpan<byte> shared, Span<byte> prk) => Hkdf.Extract(h3, shared, prk);

    /// <summary>Expand(prk, label ‖ h3).</summary>
    internal static void Derive(ReadOnlySpan<byte> prk, ReadOnlySpan<byte> label, ReadOnlySpan<byte> h3, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[64];
        label.CopyTo(info);
        h3.CopyTo(info[label.Length..]);
        Hkdf.Expand(prk, info[..(label.Length + h3.Length)], output);
    }
}
