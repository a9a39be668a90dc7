using System.Text;

namespace Streams.Wire.Crypto;

/// <summary>
/// What is signed: <c>0x20 × 64 ‖ "streams/1 " ‖ context ‖ 0x00 ‖ x</c>, the domain separation of TLS 1.3 (RFC 8446 section 4.4.3). The
/// 64 spaces keep an attacker from having the input parsed as anything an older protocol would sign.
/// </summary>
internal static class SigningInput
{
    internal const string AgentAuth = "agent auth";
    internal const string GatewayAuth = "gateway auth";
    internal const string GatewayRevocations = "gateway revocations";
    internal const string FleetRoot = "fleet root";
    internal const string Enrolment = "enrolment";
    internal const string AgentKeyRotation = "agent key rotation";
    internal const string BatchProof = "batch proof";
    internal const string ControlMessage = "control message";
    internal const string JsonMessage = "json message";

    private const int PrefixBytes = 64;
    private static ReadOnlySpan<byte> Domain => "streams/1 "u8;

    internal static int Length(string context, int dataLength) => PrefixBytes + Domain.Length + context.Length + 1 + dataLength;

    internal static int Write(string context, ReadOnlySpan<byte> data, Span<byte> output)
    {
        output[..PrefixBytes].Fill(0x20);
        Domain.CopyTo(output[PrefixBytes..]);
        var at = PrefixBytes + Domain.Length;
        at += Encoding.ASCII.GetBytes(context, output[at..]);
        output[at++] = 0;
        data.CopyTo(output[at..]);
        return at + data.Length;
    }
}
