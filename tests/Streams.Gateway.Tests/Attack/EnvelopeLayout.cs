using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Attack;

/// <summary>What PROTOCOL.md section 15 says of an envelope, written down a second time without the gateway's code: which change it must refuse for what.</summary>
internal static partial class EnvelopeLayout
{
    /// <summary>Text that is none: the WebSocket ends before anybody looks for an envelope.</summary>
    public static readonly (string Code, string Field) NoText = ("", "no text");

    /// <summary>What nothing is wrong with.</summary>
    public static readonly (string Code, string Field) Good = ("", "");

    private static readonly string[] Names =
        ["id", "type", "channel", "payload", "timestamp", "nonce", "signature", "headers.agent_id", "headers.module_id", "headers.session_token"];

    /// <summary>Why a sealed envelope is refused that was <paramref name="good"/>.</summary>
    public static (string Code, string Field) Expect(byte[] text, byte[] good)
    {
        var (fault, said) = Read(text);
        if (fault != Good)
        {
            return fault;
        }

        var (_, meant) = Read(good);
        bool Differs(string name) => said[name] != meant[name];
        return !MessageId().IsMatch(said["id"]) ? ("bad_value", "id")
            : Differs("type") ? ("bad_value", "type")
            : Differs("channel") && !IsActionOf(meant["channel"], said["channel"]) ? ("unknown_channel", "channel")
            : Differs("headers.module_id") ? ("wrong_module", "headers.module_id")
            : Differs("nonce") ? ("bad_nonce", "nonce")
            : !IsBase64(said["signature"], 64) ? ("bad_signature", "signature")
            : !IsBase64(said["payload"]) ? ("bad_value", "payload")
            : Names.Any(name => name != "signature" && Differs(name)) ? ("not_authentic", "payload")
            : Differs("signature") ? ("bad_signature", "signature")
            : Good;
    }

    /// <summary>Why M2 in an envelope is refused. Its id and its timestamp are the sender's own, and in nothing that is signed.</summary>
    public static RefusalReason ExpectAuth(byte[] text, byte[] good, IReadOnlyDictionary<string, byte[]> keys)
    {
        var (fault, said) = Read(text);
        if (fault == NoText)
        {
            return RefusalReason.Disconnected;
        }

        var (_, meant) = Read(good);
        if (fault != Good || !MessageId().IsMatch(said["id"]) || !IsBase64(said["payload"])
            || Names.Any(name => name is not ("id" or "timestamp" or "payload" or "headers.agent_id") && said[name] != meant[name]))
        {
            return RefusalReason.Malformed;
        }

        var reason = AuthLayout.Expect(Convert.FromBase64String(said["payload"]), keys);
        return said["payload"] == meant["payload"] ? said["headers.agent_id"] == meant["headers.agent_id"] ? RefusalReason.None : RefusalReason.Malformed
            : reason is RefusalReason.Malformed or RefusalReason.BadAgentId or RefusalReason.UnsupportedVersion or RefusalReason.UnsupportedSuite ? reason
            : Claimed(said["payload"]) != said["headers.agent_id"] ? RefusalReason.Malformed
            : reason;
    }

    /// <summary>The agent's name in the struct.</summary>
    private static string Claimed(string payload)
    {
        var message = Convert.FromBase64String(payload);
        return Encoding.Latin1.GetString(message, AuthLayout.Id, message[AuthLayout.IdLength]);
    }

    /// <summary>The first thing wrong with the form, and the values by name.</summary>
    private static ((string Code, string Field) Fault, Dictionary<string, string> Values) Read(byte[] text)
    {
        var values = new Dictionary<string, string>();
        try
        {
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
        }
        catch (ArgumentException)
        {
            return (NoText, values);
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return (Walk(document.RootElement, "", values), values);
        }
        catch (JsonException)
        {
            return (("malformed", ""), values);
        }
    }

    private static (string Code, string Field) Walk(JsonElement element, string prefix, Dictionary<string, string> values)
    {
        foreach (var member in element.EnumerateObject())
        {
            var name = prefix + member.Name;
            if (name == "headers")
            {
                if (Walk(member.Value, "headers.", values) is var within && within != Good)
                {
                    return within;
                }

                continue;
            }

            if (!Names.Contains(name))
            {
                return ("unknown_field", prefix + Shown(member.Name));
            }

            var value = name == "timestamp" ? Number(member.Value) : Text(member.Value);
            if (value is null || values.ContainsKey(name))
            {
                return (value is null ? "bad_value" : "duplicate_key", name);
            }

            values.Add(name, value);
        }

        return prefix.Length > 0 || values.Count == Names.Length ? Good : ("missing_field", Names.First(name => !values.ContainsKey(name)));
    }

    /// <summary>A name of somebody else's is shown without what would not do in a log.</summary>
    private static string Shown(string name) => string.Concat(name.Select(c => c is > ' ' and <= '~' ? c : '?'));

    private static string? Number(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && Digits().IsMatch(element.GetRawText())
            && ulong.TryParse(element.GetRawText(), CultureInfo.InvariantCulture, out var number) && number <= 1UL << 53 ? element.GetRawText() : null;

    private static string? Text(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return null;
        }
    }

    /// <summary>Another action of the same channel, which has a name of three parts.</summary>
    private static bool IsActionOf(string meant, string said) =>
        meant.StartsWith("agent.", StringComparison.Ordinal) && meant.Count(c => c == '.') == 2 && said.StartsWith(meant[..(meant.LastIndexOf('.') + 1)], StringComparison.Ordinal) && ChannelName().IsMatch(said);

    private static bool IsBase64(string text, int? length = null)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var written) && Convert.ToBase64String(bytes, 0, written) == text && written == (length ?? written);
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$")]
    private static partial Regex MessageId();

    [GeneratedRegex(@"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
    private static partial Regex ChannelName();

    [GeneratedRegex("^(0|[1-9][0-9]*)$")]
    private static partial Regex Digits();
}
