using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Handshake;

/// <summary>
/// M2, agent to gateway, clear: <c>type=2 ‖ version u8 ‖ suite u8 ‖ mode u8 ‖ agent_id str8 ‖ agent_pk 32 ‖ e_a 32 ‖ n_a 32 ‖ agent_time
/// u64 (Unix µs) ‖
/// boot_id 16 ‖ epoch 16 ‖ connect_counter u64 ‖ catalogue_digest 32 ‖ sig_a 64</c>. Until <see cref="GatewayHandshake.Verify"/> succeeds
/// everything
/// here is an unproven claim.
/// </summary>
public sealed class AuthMessage
{
    internal const int NonceSize = 32;
    internal const int DigestSize = 32;
    internal const int FixedBytes = 4 + 1 + 32 + 32 + NonceSize + 8 + 16 + 16 + 8 + DigestSize + SigningKey.SignatureSize;

    private AuthMessage()
    {
    }

    public SessionMode Mode { get; private init; }

    /// <summary>Valid by <see cref="Wire.AgentId"/>; empty only in enrol mode.</summary>
    public string AgentId { get; private init; } = "";

    public ReadOnlyMemory<byte> PublicKey { get; private init; }

    /// <summary>The agent's clock, Unix µs; compared only to be reported.</summary>
    public ulong Time { get; private init; }

    /// <summary>The kernel's boot id, big-endian bytes as a number.</summary>
    public UInt128 BootId { get; private init; }

    /// <summary>Epoch of the agent's process.</summary>
    public UInt128 Epoch { get; private init; }

    public ulong ConnectCounter { get; private init; }

    public ReadOnlyMemory<byte> CatalogueDigest { get; private init; }

    /// <summary>The version that the agent chose from the gateway's range.</summary>
    public byte Version { get; private init; }

    internal byte Suite { get; private init; }

    internal ReadOnlyMemory<byte> Ephemeral { get; private init; }

    internal ReadOnlyMemory<byte> Raw { get; private init; }

    internal ReadOnlySpan<byte> Signed => Raw.Span[..^SigningKey.SignatureSize];

    internal ReadOnlySpan<byte> SignatureBytes => Raw.Span[^SigningKey.SignatureSize..];

    internal static RefusalReason TryRead(ReadOnlySpan<byte> message, out AuthMessage? auth)
    {
        auth = null;
        if (message.Length > Limits.MaxHandshakeMessageBytes)
        {
            return RefusalReason.TooLarge;
        }

        var raw = message.ToArray();
        var reader = new WireReader(raw);
        var type = reader.U8();
        var version = reader.U8();
        var suite = reader.U8();
        var mode = (SessionMode)reader.U8();
        var id = reader.Str8(Limits.MaxNameBytes);
        var at = reader.Position;
        _ = reader.Bytes(32 + 32 + NonceSize);
        var time = reader.U64();
        var boot = reader.U128();
        var epoch = reader.U128();
        var counter = reader.U64();
        var digestAt = reader.Position;
        _ = reader.Bytes(DigestSize + SigningKey.SignatureSize);
        if (!reader.AtEnd || type != (byte)HandshakeType.Auth || mode is not (SessionMode.Session or SessionMode.Enrol))
        {
            return RefusalReason.Malformed;
        }

        if (mode == SessionMode.Session ? !Wire.AgentId.IsValid(id) : !id.IsEmpty)
        {
            return RefusalReason.BadAgentId;
        }

        auth = new AuthMessage
        {
            Mode = mode,
            AgentId = Encoding.ASCII.GetString(id),
            PublicKey = raw.AsMemory(at, 32),
            Ephemeral = raw.AsMemory(at + 32, 32),
            Time = time,
            BootId = boot,
            Epoch = epoch,
            ConnectCounter = counter,
            CatalogueDigest = raw.AsMemory(digestAt, DigestSize),
            Version = version,
            Suite = suite,
            Raw = raw,
        };
        return RefusalReason.None;
    }
}
