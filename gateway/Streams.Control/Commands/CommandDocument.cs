using System.Diagnostics.CodeAnalysis;
using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Control.Commands;

/// <summary>
/// A signed command, in the one form that is signed, stored and carried (big-endian):
/// <c>version u8 = 1 ‖ id 16 ‖ kind str8 ‖ signer u8 ‖ certificate str8 ‖ actor str8 ‖ counter u64 ‖ issued_at u64 ‖ not_before u64 ‖
/// deadline u64 ‖ agents (count u16, str8 each) ‖ arguments (count u8, name str8 ‖ value str16 each) ‖ signature 64</c>.
/// digest = SHA-256(everything before the signature); signature = sign(issuer's key, "command", digest).
/// </summary>
public sealed class CommandDocument
{
    internal const string Context = "command";
    private const byte Version = 1;

    private readonly byte[] _bytes;
    private readonly byte[] _digest;

    private CommandDocument(byte[] bytes, CommandFields fields, CommandSigner signer, FleetCertificate certificate)
    {
        _bytes = bytes;
        Fields = fields;
        Signer = signer;
        Certificate = certificate;
        _digest = DigestOf(bytes);
    }

    public CommandFields Fields { get; }

    public CommandId Id => Fields.Id;

    /// <summary>Whose key it claims to be signed with.</summary>
    public CommandSigner Signer { get; }

    public FleetCertificate Certificate { get; }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>32 bytes that name exactly this command; answers repeat them.</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    internal bool IsSigned =>
        Signature.Verify(Certificate.PublicKey, Context, _digest, _bytes.AsSpan(_bytes.Length - SigningKey.SignatureSize));

    /// <summary>Makes and signs a command.</summary>
    /// <exception cref="ArgumentException">The fields are not valid; the message is one line that names field and bound.</exception>
    public static CommandDocument Create(CommandFields fields, CommandSigner signer, FleetCertificate certificate, SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(key);
        if (fields.Validate() is { } problem)
        {
            throw new ArgumentException(problem, nameof(fields));
        }

        var bytes = Write(fields, signer, certificate);
        var document = new CommandDocument(bytes, fields, signer, certificate);
        key.Sign(Context, document._digest, bytes.AsSpan(bytes.Length - SigningKey.SignatureSize));
        return document;
    }

    /// <summary>What an answer names of a document, also of one that cannot be read: SHA-256 of all but the last 64 bytes.</summary>
    public static byte[] DigestOf(ReadOnlySpan<byte> document)
    {
        var digest = new byte[Sha256.Size];
        Sha256.Hash(document[..Math.Max(0, document.Length - SigningKey.SignatureSize)], digest);
        return digest;
    }

    /// <summary>Parses exactly one command; checks form only, see <see cref="CommandVerifier"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CommandDocument? document)
    {
        document = null;
        if (bytes.Length > CommandLimits.MaxDocumentBytes)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var version = reader.U8();
        var id = new CommandId(reader.U128());
        var kind = Text(reader.Str8(CommandLimits.MaxKindBytes));
        var signer = (CommandSigner)reader.U8();
        var certified = FleetCertificate.TryParse(reader.Str8(FleetCertificate.MaxBytes), out var certificate);
        var actor = Text(reader.Str8(CommandLimits.MaxActorBytes));
        var counter = reader.U64();
        var issuedAt = reader.U64();
        var notBefore = reader.U64();
        var deadline = reader.U64();
        var agents = ReadAgents(ref reader);
        var arguments = ReadArguments(ref reader);
        _ = reader.Bytes(SigningKey.SignatureSize);
        if (!reader.AtEnd || version != Version || !certified || signer is not (CommandSigner.Service or CommandSigner.Operator))
        {
            return false;
        }

        var fields = new CommandFields
        {
            Id = id,
            Kind = kind,
            Actor = actor,
            Counter = counter,
            IssuedAt = issuedAt,
            NotBefore = notBefore,
            Deadline = deadline,
            Agents = agents,
            Arguments = arguments,
        };
        if (fields.Validate() is not null)
        {
            return false;
        }

        document = new CommandDocument(bytes.ToArray(), fields, signer, certificate!);
        return true;
    }

    private static byte[] Write(CommandFields fields, CommandSigner signer, FleetCertificate certificate)
    {
        var buffer = new byte[CommandLimits.MaxDocumentBytes];
        var writer = new WireWriter(buffer);
        writer.U8(Version);
        writer.U128(fields.Id.Value);
        writer.Str8(Encoding.UTF8.GetBytes(fields.Kind));
        writer.U8((byte)signer);
        writer.Str8(certificate.Bytes);
        writer.Str8(Encoding.UTF8.GetBytes(fields.Actor));
        writer.U64(fields.Counter);
        writer.U64(fields.IssuedAt);
        writer.U64(fields.NotBefore);
        writer.U64(fields.Deadline);
        writer.U16((ushort)fields.Agents.Count);
        foreach (var agent in fields.Agents)
        {
            writer.Str8(Encoding.UTF8.GetBytes(agent));
        }

        writer.U8((byte)fields.Arguments.Count);
        foreach (var (name, value) in fields.Arguments)
        {
            writer.Str8(Encoding.UTF8.GetBytes(name));
            writer.Str16(Encoding.UTF8.GetBytes(value));
        }

        return buffer[..(writer.Position + SigningKey.SignatureSize)];
    }

    private static string[] ReadAgents(scoped ref WireReader reader)
    {
        var count = reader.U16();
        if (reader.Failed || count > CommandLimits.MaxAgents)
        {
            return [];
        }

        var agents = new string[count];
        for (var i = 0; i < count; i++)
        {
            agents[i] = Text(reader.Str8(Limits.MaxNameBytes));
        }

        return agents;
    }

    private static CommandArgument[] ReadArguments(scoped ref WireReader reader)
    {
        var count = reader.U8();
        if (reader.Failed || count > CommandLimits.MaxArguments)
        {
            return [];
        }

        var arguments = new CommandArgument[count];
        for (var i = 0; i < count; i++)
        {
            arguments[i] = new CommandArgument(
                Text(reader.Str8(CommandLimits.MaxArgumentNameBytes)), Text(reader.Str16(CommandLimits.MaxArgumentValueBytes)));
        }

        return arguments;
    }

    // Broken UTF-8 becomes U+FFFD here, and would let two documents have the same fields: IsText does not see it, so the bytes are looked at.
    private static string Text(ReadOnlySpan<byte> utf8) => WireText.IsClean(utf8) ? Encoding.UTF8.GetString(utf8) : "\u0000";
}
