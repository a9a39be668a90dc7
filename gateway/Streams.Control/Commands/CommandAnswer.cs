using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Streams.Control.Identity;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Control.Commands;

/// <summary>
/// What an agent says of a command, in the one form that is signed and carried, and that services believe whoever brings it (big-endian):
/// <c>version u8 = 1 ‖ id 16 ‖ digest 32 ‖ agent str8 ‖ state str8 ‖ at u64 ‖ detail str16 ‖ result str32 ‖ signature 64</c>;
/// signature = sign(agent's key, "command answer", SHA-256(everything before it)).
/// </summary>
public sealed class CommandAnswer
{
    /// <summary>A whole answer: the longest result, and 455 bytes of all else.</summary>
    public const int MaxBytes = CommandLimits.MaxResultBytes + 455;

    private const string Context = "command answer";
    private const byte Version = 1;
    private const int MaxStateBytes = 8;

    // What the services or a gateway say of a command is not an agent's to say.
    private static readonly Dictionary<string, CommandState> States =
        Enum.GetValues<CommandState>().Where(state => state >= CommandState.Received).ToDictionary(CommandStates.Name, StringComparer.Ordinal);

    private readonly byte[] _bytes;

    private CommandAnswer(byte[] bytes, string agentId, CommandEvent word)
    {
        _bytes = bytes;
        AgentId = agentId;
        Word = word;
    }

    /// <summary>Who claims to say it.</summary>
    public string AgentId { get; }

    public CommandEvent Word { get; }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <exception cref="ArgumentException">It is not what an agent may say.</exception>
    public static CommandAnswer Create(CommandEvent word, AgentIdentity agent)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(agent);
        Span<byte> digest = stackalloc byte[Sha256.Size];
        if (!CommandId.TryParse(word.Command, out var id) || !CanonicalBase64.TryRead(word.Digest, digest))
        {
            throw new ArgumentException("an answer names a command and a digest", nameof(word));
        }

        var state = Encoding.UTF8.GetBytes(word.State.Name());
        var detail = Encoding.UTF8.GetBytes(word.Detail);
        var result = Encoding.UTF8.GetBytes(word.Result);
        var bytes = new byte[1 + CommandId.Size + Sha256.Size + 1 + agent.AgentId.Length + 1 + state.Length + 8 + 2 + detail.Length + 4 + result.Length
            + SigningKey.SignatureSize];
        var writer = new WireWriter(bytes);
        writer.U8(Version);
        writer.U128(id.Value);
        digest.CopyTo(writer.Reserve(digest.Length));
        writer.Str8(Encoding.UTF8.GetBytes(agent.AgentId));
        writer.Str8(state);
        writer.U64(word.At);
        writer.Str16(detail);
        writer.Str32(result);
        Sha256.Hash(bytes.AsSpan(0, writer.Position), digest);
        agent.Key.Sign(Context, digest, bytes.AsSpan(writer.Position));
        return TryParse(bytes, out var answer) ? answer : throw new ArgumentException("state, detail or result are not an agent's to say", nameof(word));
    }

    /// <summary>Parses exactly one answer; checks form only: whose it is, <see cref="IsSignedBy"/> tells.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CommandAnswer? answer)
    {
        answer = null;
        if (bytes.Length > MaxBytes)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var version = reader.U8();
        var id = new CommandId(reader.U128());
        var digest = reader.Bytes(Sha256.Size);
        var agent = reader.Str8(Limits.MaxNameBytes);
        var name = reader.Str8(MaxStateBytes);
        var at = reader.U64();
        var detail = reader.Str16(CommandLimits.MaxDetailBytes);
        var result = reader.Str32(CommandLimits.MaxResultBytes);
        _ = reader.Bytes(SigningKey.SignatureSize);
        if (!reader.AtEnd || version != Version || !WireText.IsClean(agent) || !Wire.AgentId.IsValid(Encoding.UTF8.GetString(agent))
            || !WireText.IsClean(name) || !States.TryGetValue(Encoding.UTF8.GetString(name), out var state) || !WireText.IsClean(detail)
            || (result.IsEmpty ? "" : CommandResult.Normalise(result)) is not { } normal)
        {
            return false;
        }

        var word = new CommandEvent(id.ToString(), Base64Url.EncodeToString(digest), state, at, Encoding.UTF8.GetString(detail), normal);
        answer = new CommandAnswer(bytes.ToArray(), Encoding.UTF8.GetString(agent), word);
        return true;
    }

    public bool IsSignedBy(ReadOnlySpan<byte> publicKey)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        var signed = _bytes.Length - SigningKey.SignatureSize;
        Sha256.Hash(_bytes.AsSpan(0, signed), digest);
        return Signature.Verify(publicKey, Context, digest, _bytes.AsSpan(signed));
    }
}
