using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Streams.Wire.Crypto;

namespace Streams.Gateway.Auth;

/// <summary>The claims of a session token that its form was checked of.</summary>
internal readonly record struct TokenClaims(string KeyId, string Subject, string SessionId, long IssuedAt, long Expires);

/// <summary>
/// The form of a session token, stricter than a JWT's: three parts; exactly the header fields and claims that <see cref="SessionTokens"/> writes, each once. What a
/// general library would read one way and another one otherwise (duplicates, <c>crit</c>, <c>b64</c>, nested tokens) is no session token at all.
/// </summary>
internal static class TokenForm
{
    public const string Subject = "sub";
    public const string Id = "jti";
    public const string Confirmation = "cnf";
    public const string SessionId = "sid";

    private const int HeaderFields = 3;
    private const int Claims = 7;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 2 };

    public static bool TryRead(ReadOnlySpan<byte> token, out TokenClaims claims)
    {
        claims = default;
        if (token.Length > Wire.Limits.MaxTokenBytes || token.Count((byte)'.') != 2)
        {
            return false;
        }

        var first = token.IndexOf((byte)'.');
        var second = first + 1 + token[(first + 1)..].IndexOf((byte)'.');
        try
        {
            return TryDecode(token[..first], out var header) && TryReadHeader(header, out var keyId)
                && TryDecode(token[(first + 1)..second], out var payload) && TryReadClaims(payload, keyId, out claims)
                && TryDecode(token[(second + 1)..], out var signature) && signature.Length == SigningKey.SignatureSize;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not JSON, or a string that is not Unicode.
            return false;
        }
    }

    private static bool TryDecode(ReadOnlySpan<byte> part, out byte[] json)
    {
        json = [];
        if (part.IsEmpty || part.ContainsAny((byte)'=', (byte)' ', (byte)'\n') || part.Length % 4 == 1)
        {
            return false;
        }

        var decoded = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        if (Base64Url.DecodeFromUtf8(part, decoded, out _, out var written) != OperationStatus.Done)
        {
            return false;
        }

        json = decoded[..written];
        return true;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> json, out string keyId)
    {
        keyId = "";
        var reader = new Utf8JsonReader(json, Options);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        reader.Read();
        while (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.String && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (name is not ("alg" or "kid" or "typ") || !seen.Add(name) || !reader.Read() || reader.TokenType != JsonTokenType.String)
            {
                return false;
            }

            keyId = name == "kid" ? reader.GetString()! : keyId;
        }

        return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && seen.Count == HeaderFields;
    }

    private static bool TryReadClaims(ReadOnlySpan<byte> json, string keyId, out TokenClaims claims)
    {
        claims = new TokenClaims(keyId, "", "", 0, 0);
        var reader = new Utf8JsonReader(json, Options);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name) || !reader.Read() || !TryTake(name, ref reader, ref claims))
            {
                return false;
            }
        }

        return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && seen.Count == Claims;
    }

    private static bool TryTake(string name, ref Utf8JsonReader reader, ref TokenClaims claims)
    {
        long number;
        switch (name)
        {
            case "iss" or "aud" or Id:
                return reader.TokenType == JsonTokenType.String;
            case Subject:
                claims = claims with { Subject = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "" };
                return reader.TokenType == JsonTokenType.String;
            case "iat" when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out number):
                claims = claims with { IssuedAt = number };
                return true;
            case "exp" when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out number):
                claims = claims with { Expires = number };
                return true;
            case Confirmation when reader.TokenType == JsonTokenType.StartObject:
                if (!reader.Read() || !reader.ValueTextEquals(SessionId) || !reader.Read() || reader.TokenType != JsonTokenType.String)
                {
                    return false;
                }

                claims = claims with { SessionId = reader.GetString()! };
                return reader.Read() && reader.TokenType == JsonTokenType.EndObject;
            default:
                return false;
        }
    }
}
