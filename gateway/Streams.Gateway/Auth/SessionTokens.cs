using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Auth;

/// <summary>
/// Makes and verifies session tokens: JWT, EdDSA by the gateway's own key and nothing else, of one type, audience and form, good for one agent in one session
/// (<c>cnf.sid</c>). A token is no credential anywhere but inside its session, so a stolen one opens nothing. Written here, since a session has one and the library takes a dictionary and several
/// strings for it; read by the library.
/// </summary>
/// <param name="lifetime">From <c>iat</c> to <c>exp</c>.</param>
internal sealed class SessionTokens(TimeProvider time, TimeSpan lifetime)
{
    public const string Type = "streams-session+jwt";
    public const string Audience = "streams";

    private const int FirstBytes = 320;

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = Wire.Limits.MaxTokenBytes };

    private GatewaySecurityKey? _key;

    public TimeSpan Lifetime => lifetime;

    /// <summary>A token that is good from now on.</summary>
    public byte[] Issue(GatewayIdentity gateway, string agentId, ReadOnlySpan<byte> sessionId)
    {
        // Whole seconds are all that the claims hold: a token never expires later than it says.
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var claims = new ArrayBufferWriter<byte>(FirstBytes);
        using (var json = new Utf8JsonWriter(claims))
        {
            json.WriteStartObject();
            json.WriteString("iss", gateway.Certificate.Name);
            json.WriteString("aud", Audience);
            json.WriteNumber("iat", now);
            json.WriteNumber("exp", now + (long)lifetime.TotalSeconds);
            json.WriteString(TokenForm.Subject, agentId);
            Span<byte> id = stackalloc byte[16];
            Entropy.Fill(id);
            WriteBytes(json, TokenForm.Id, id);
            json.WriteStartObject(TokenForm.Confirmation);
            WriteBytes(json, TokenForm.SessionId, sessionId);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Sign(gateway, KeyOf(gateway).TokenHeader, claims.WrittenSpan);
    }

    /// <summary>Whether the token is this gateway's for this agent in this session, now; its <c>exp</c>.</summary>
    public bool TryVerify(GatewayIdentity gateway, string agentId, ReadOnlySpan<byte> sessionId, ReadOnlySpan<byte> token, out DateTimeOffset expires)
    {
        expires = default;
        if (!TokenForm.TryRead(token, out var claims))
        {
            return false;
        }

        var key = KeyOf(gateway);
        // Synchronous: no key is fetched, so the task is complete when it comes.
        var result = _handler.ValidateTokenAsync(Encoding.ASCII.GetString(token), new TokenValidationParameters
        {
            ValidAlgorithms = [JwsSignature.Algorithm],
            ValidTypes = [Type],
            ValidIssuer = gateway.Certificate.Name,
            ValidAudience = Audience,
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            // By our own clock, below.
            ValidateLifetime = false,
        }).GetAwaiter().GetResult();
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        expires = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(claims.Expires, 0, 253402300799));
        return result.IsValid && claims.KeyId == key.KeyId && claims.Subject == agentId
            && claims.SessionId == Base64Url.EncodeToString(sessionId)
            && claims.IssuedAt <= now && now < claims.Expires && claims.Expires - claims.IssuedAt <= (long)lifetime.TotalSeconds;
    }

    /// <summary>The compact form of RFC 7515: header, claims and signature, each as base64url.</summary>
    private static byte[] Sign(GatewayIdentity gateway, ReadOnlySpan<byte> header, ReadOnlySpan<byte> claims)
    {
        var signed = header.Length + 1 + Base64Url.GetEncodedLength(claims.Length);
        var token = new byte[signed + 1 + Base64Url.GetEncodedLength(SigningKey.SignatureSize)];
        header.CopyTo(token);
        token[header.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(claims, token.AsSpan(header.Length + 1));
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        JwsSignature.Sign(gateway, token.AsSpan(0, signed), signature);
        token[signed] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(signed + 1));
        return token;
    }

    private static void WriteBytes(Utf8JsonWriter json, string name, ReadOnlySpan<byte> bytes)
    {
        Span<byte> text = stackalloc byte[Base64Url.GetEncodedLength(bytes.Length)];
        Base64Url.EncodeToUtf8(bytes, text);
        json.WriteString(name, text);
    }

    // Kept, because the library makes caches for each: several kilobytes for a token. Identities change when a certificate is renewed.
    private GatewaySecurityKey KeyOf(GatewayIdentity gateway)
    {
        var known = Volatile.Read(ref _key);
        if (known?.Identity != gateway)
        {
            Volatile.Write(ref _key, known = new GatewaySecurityKey(gateway));
        }

        return known;
    }
}
