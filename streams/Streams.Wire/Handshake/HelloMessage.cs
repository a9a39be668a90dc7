using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// M1, gateway to agent, clear: <c>type=1 ‖ version_min u8 ‖ version_max u8 ‖ suites str8 ‖ gateway_cert ‖ e_g 32 ‖ n_g 32 ‖ gateway_time
/// u64 (Unix µs)</c>.
/// </summary>
internal sealed record HelloMessage(byte VersionMin, byte VersionMax, byte[] Suites, FleetCertificate Certificate, byte[] Ephemeral, byte[] Nonce, ulong Time)
{
    internal const int NonceSize = 32;

    internal int Length => 4 + Suites.Length + Certificate.Bytes.Length + EphemeralKey.Size + NonceSize + 8;

    internal int Write(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.U8((byte)HandshakeType.Hello);
        writer.U8(VersionMin);
        writer.U8(VersionMax);
        writer.Str8(Suites);
        writer.Bytes(Certificate.Bytes);
        writer.Bytes(Ephemeral);
        writer.Bytes(Nonce);
        writer.U64(Time);
        return writer.Position;
    }

    internal static HelloMessage? TryRead(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        var type = reader.U8();
        var min = reader.U8();
        var max = reader.U8();
        var suites = reader.Str8(Limits.MaxSuites);
        var certificate = FleetCertificate.Read(ref reader);
        var ephemeral = reader.Bytes(EphemeralKey.Size);
        var nonce = reader.Bytes(NonceSize);
        var time = reader.U64();
        return reader.AtEnd && type == (byte)HandshakeType.Hello && min <= max && !suites.IsEmpty && certificate is not null
            ? new HelloMessage(min, max, suites.ToArray(), certificate, ephemeral.ToArray(), nonce.ToArray(), time)
            : null;
    }
}
