using System.Text;
using System.Text.RegularExpressions;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Attack;

/// <summary>
/// What PROTOCOL.md says of M2, written down a second time without the gateway's code: where its fields are, and what each change must be
/// refused for.
/// </summary>
internal static partial class AuthLayout
{
    public const int IdLength = 4;
    public const int Id = 5;
    private const int Behind = 32 + 32 + 32 + 8 + 16 + 16 + 8 + 32 + 64;

    public static int KeyAt(byte[] message) => Id + message[IdLength];

    public static int EphemeralAt(byte[] message) => KeyAt(message) + 32;

    /// <summary>Why a gateway of version 1 refuses these bytes, which nobody signed as they are.</summary>
    /// <param name="keys">Keys of the agents it knows.</param>
    public static RefusalReason Expect(byte[] message, IReadOnlyDictionary<string, byte[]> keys)
    {
        if (message.Length > 4096)
        {
            return RefusalReason.TooLarge;
        }

        if (message.Length <= IdLength || message[IdLength] > 63 || message.Length != Id + message[IdLength] + Behind || message[0] != 2 || message[3] is not (1 or 2))
        {
            return RefusalReason.Malformed;
        }

        var id = Encoding.Latin1.GetString(message, Id, message[IdLength]);
        if (message[3] == 1 ? !AgentId().IsMatch(id) : id.Length != 0)
        {
            return RefusalReason.BadAgentId;
        }

        return message[1] != 1 ? RefusalReason.UnsupportedVersion
            : message[2] != 1 ? RefusalReason.UnsupportedSuite
            : message[3] == 2 ? RefusalReason.ModeNotAllowed
            : !keys.TryGetValue(id, out var key) ? RefusalReason.UnknownAgent
            : !message.AsSpan(KeyAt(message), 32).SequenceEqual(key) ? RefusalReason.KeyMismatch
            : RefusalReason.BadSignature;
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex AgentId();
}
