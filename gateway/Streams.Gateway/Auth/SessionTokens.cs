using System.Buffers.Text;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Auth;

/// <summary>
/// Makes and verifies session tokens: JWT, EdDSA by the gateway's own key and nothing else, of one type, audience and form, good for one agent in one session
/// (<c>cnf.sid</c>). A token is no credential anywhere but inside its session, so a stolen one opens nothing.
/// </summary>
/// <param name="lifetime">From <c>iat</c> to <c>exp</c>.</param>
internal sealed class SessionTokens(TimeProvider time, TimeSpan lifetime)
{
    public const string Type = "streams-session+jwt";
    public const string Audience = "streams";

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false, MaximumTokenSizeInBytes = Wire.Limits.MaxTokenBytes };

    private GatewaySecurityKey? _key;

    public TimeSpan Lifetime => lifetime;

    /// <summary>A token that is good from now on.</summary>
    public byte[] Issue(GatewayIdentity gateway, string agentId, ReadOnlySpan<byte> sessionId)
    {
        // Whole seconds are all that the claims hold: a token never expires later than it says.
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var id = new byte[16];
        Entropy.Fill(id);
        return Encoding.ASCII.GetBytes(_handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type,
            Issuer = gateway.Certificate.Name,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            Expires = (now + lifetime).UtcDateTime,
            SigningCredentials = new SigningCredentials(KeyOf(gateway), JwsSignature.Algorithm),
            Claims = new Dictionary<string, object>
            {
                [TokenForm.Subject] = agentId,
                [TokenForm.Id] = Base64Url.EncodeToString(id),
                [TokenForm.Confirmation] = new Dictionary<string, object> { [TokenForm.SessionId] = Base64Url.EncodeToString(sessionId) },
            },
        }));
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
