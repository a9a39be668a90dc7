using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Streams.Gateway.Auth;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Auth;

/// <summary>Session tokens under the attacks of RFC 8725, each with a signature as good as the attacker could make it.</summary>
public sealed class SessionTokenTests : IDisposable
{
    private const string Agent = "agent-1";

    private readonly SigningKey _root = SigningKey.Generate();
    private readonly GatewayIdentity _gateway;
    private readonly GatewayIdentity _other;
    private readonly Clock _clock = new() { Now = DateTimeOffset.FromUnixTimeSeconds(1_750_000_000) };
    private readonly SessionTokens _tokens;
    private readonly byte[] _session = RandomNumberGenerator.GetBytes(16);

    public SessionTokenTests()
    {
        _gateway = Identity("gateway-1");
        _other = Identity("gateway-1");
        _tokens = new SessionTokens(_clock, TimeSpan.FromSeconds(900));
    }

    public void Dispose()
    {
        _gateway.Dispose();
        _other.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void A_token_is_good_in_its_session_until_it_expires()
    {
        var token = _tokens.Issue(_gateway, Agent, _session);
        Assert.True(_tokens.TryVerify(_gateway, Agent, _session, token, out var expires));
        Assert.Equal(_clock.Now.AddSeconds(900), expires);
        _clock.Now = expires.AddMilliseconds(-1);
        Assert.True(_tokens.TryVerify(_gateway, Agent, _session, token, out _));
        _clock.Now = expires;
        Assert.False(_tokens.TryVerify(_gateway, Agent, _session, token, out _));
    }

    [Fact]
    public void It_says_what_the_protocol_has_and_nothing_else()
    {
        var token = _tokens.Issue(_gateway, Agent, _session);
        var parts = Encoding.ASCII.GetString(token).Split('.');
        var header = Parse(parts[0]);
        var digest = SHA256.HashData(_gateway.Certificate.PublicKey);
        Assert.Equal(
            $$"""{"alg":"EdDSA","kid":"{{Convert.ToHexStringLower(digest[..8])}}","typ":"streams-session\u002Bjwt"}""",
            Sorted(header));
        var claims = Parse(parts[1]);
        Assert.Equal(22, claims["jti"]!.GetValue<string>().Length);
        claims.Remove("jti");
        Assert.Equal(
            $$$"""{"aud":"streams","cnf":{"sid":"{{{Base64Url.EncodeToString(_session)}}}"},"exp":1750000900,"iat":1750000000,"iss":"gateway-1","sub":"agent-1"}""",
            Sorted(claims));
    }

    [Fact]
    public void It_is_of_one_session_of_one_agent_at_one_gateway()
    {
        var token = _tokens.Issue(_gateway, Agent, _session);
        Assert.False(_tokens.TryVerify(_gateway, Agent, RandomNumberGenerator.GetBytes(16), token, out _));
        Assert.False(_tokens.TryVerify(_gateway, "agent-2", _session, token, out _));
        Assert.False(_tokens.TryVerify(_other, Agent, _session, token, out _));
    }

    [Theory]
    [InlineData("alg none, without a signature")]
    [InlineData("alg none, with the signature")]
    [InlineData("alg NONE")]
    [InlineData("alg HS256 with the public key as secret")]
    [InlineData("alg Ed25519")]
    [InlineData("alg twice")]
    [InlineData("alg missing")]
    [InlineData("kid of another key")]
    [InlineData("kid missing")]
    [InlineData("typ JWT")]
    [InlineData("typ missing")]
    [InlineData("jwk in the header")]
    [InlineData("jku in the header")]
    [InlineData("crit")]
    [InlineData("b64 false")]
    [InlineData("cty JWT")]
    [InlineData("zip")]
    [InlineData("iss of another")]
    [InlineData("iss missing")]
    [InlineData("aud of another")]
    [InlineData("aud a list")]
    [InlineData("aud missing")]
    [InlineData("sub of another")]
    [InlineData("sub missing")]
    [InlineData("sub twice")]
    [InlineData("exp past")]
    [InlineData("exp missing")]
    [InlineData("exp a string")]
    [InlineData("exp a fraction")]
    [InlineData("exp beyond all time")]
    [InlineData("longer than a token lives")]
    [InlineData("iat in the future")]
    [InlineData("nbf")]
    [InlineData("cnf of another session")]
    [InlineData("cnf missing")]
    [InlineData("cnf twice")]
    [InlineData("cnf with more")]
    [InlineData("payload a string")]
    [InlineData("payload is a token")]
    [InlineData("header behind its end")]
    [InlineData("signed by another key")]
    [InlineData("signature of another token")]
    [InlineData("signature cut")]
    [InlineData("signature with padding")]
    [InlineData("two parts")]
    [InlineData("four parts")]
    [InlineData("five parts")]
    [InlineData("empty")]
    [InlineData("huge")]
    [InlineData("not ASCII")]
    public void An_attack_fails(string how)
    {
        // Good as it stands: what follows fails for what was changed.
        Assert.True(Verify(Token(Header(), Claims())), "the attacker's form");
        Assert.False(Verify(Attack(how)), how);
    }

    private byte[] Attack(string how)
    {
        var header = Header();
        var claims = Claims();
        var parts = Encoding.ASCII.GetString(Token(header, claims)).Split('.');
        switch (how)
        {
            case "alg none, without a signature": header["alg"] = "none"; return Encoding.ASCII.GetBytes($"{Text(header)}.{Text(claims)}.");
            case "alg HS256 with the public key as secret":
                header["alg"] = "HS256";
                var input = $"{Text(header)}.{Text(claims)}";
                var mac = HMACSHA256.HashData(_gateway.Certificate.PublicKey, Encoding.ASCII.GetBytes(input));
                return Encoding.ASCII.GetBytes($"{input}.{Base64Url.EncodeToString(mac)}");
            case "alg twice": return Token(header.ToJsonString()[..^1] + ",\"alg\":\"EdDSA\"}", claims.ToJsonString());
            case "sub twice": return Token(header.ToJsonString(), claims.ToJsonString()[..^1] + $",\"sub\":\"{Agent}\"}}");
            case "cnf twice": return Token(header.ToJsonString(), claims.ToJsonString()[..^1] + $",\"cnf\":{claims["cnf"]!.ToJsonString()}}}");
            case "header behind its end": return Token(header.ToJsonString() + "{}", claims.ToJsonString());
            case "payload a string": return Token(header.ToJsonString(), "\"token\"");
            case "payload is a token": return Token(header.ToJsonString(), Encoding.ASCII.GetString(_tokens.Issue(_gateway, Agent, _session)));
            case "signed by another key": return Token(header.ToJsonString(), claims.ToJsonString(), _other);
            case "signature of another token":
                return Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}.{Encoding.ASCII.GetString(_tokens.Issue(_gateway, Agent, _session)).Split('.')[2]}");
            case "signature cut": return Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}.{parts[2][..^2]}");
            case "signature with padding": return Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}.{parts[2]}==");
            case "two parts": return Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
            case "four parts": return Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}.{parts[2]}.");
            case "five parts": return Encoding.ASCII.GetBytes($"{parts[0]}..{parts[1]}.{parts[2]}.{parts[2]}");
            case "empty": return [];
            case "huge": claims["jti"] = new string('a', 4096); return Token(header, claims);
            case "not ASCII": return [.. Token(header, claims)[..^1], 0xff];
        }

        Change(how, header, claims);
        return Token(header, claims);
    }

    private static void Change(string how, JsonObject header, JsonObject claims)
    {
        switch (how)
        {
            case "alg none, with the signature": header["alg"] = "none"; break;
            case "alg NONE": header["alg"] = "NONE"; break;
            case "alg Ed25519": header["alg"] = "Ed25519"; break;
            case "alg missing": header.Remove("alg"); break;
            case "kid of another key": header["kid"] = "0011223344556677"; break;
            case "kid missing": header.Remove("kid"); break;
            case "typ JWT": header["typ"] = "JWT"; break;
            case "typ missing": header.Remove("typ"); break;
            case "jwk in the header": header["jwk"] = new JsonObject { ["kty"] = "OKP" }; break;
            case "jku in the header": header["jku"] = "http://127.0.0.1/keys"; break;
            case "crit": header["crit"] = new JsonArray("exp"); break;
            case "b64 false": header["b64"] = false; break;
            case "cty JWT": header["cty"] = "JWT"; break;
            case "zip": header["zip"] = "DEF"; break;
            case "iss of another": claims["iss"] = "gateway-2"; break;
            case "iss missing": claims.Remove("iss"); break;
            case "aud of another": claims["aud"] = "streams-operators"; break;
            case "aud a list": claims["aud"] = new JsonArray("streams", "others"); break;
            case "aud missing": claims.Remove("aud"); break;
            case "sub of another": claims["sub"] = "agent-2"; break;
            case "sub missing": claims.Remove("sub"); break;
            case "exp past": claims["exp"] = 1_749_999_999; claims["iat"] = 1_749_999_900; break;
            case "exp missing": claims.Remove("exp"); break;
            case "exp a string": claims["exp"] = "1750000900"; break;
            case "exp a fraction": claims["exp"] = 1750000900.5; break;
            case "exp beyond all time": claims["exp"] = long.MaxValue; break;
            case "longer than a token lives": claims["exp"] = 1_750_000_901; break;
            case "iat in the future": claims["iat"] = 1_750_000_001; claims["exp"] = 1_750_000_800; break;
            case "nbf": claims["nbf"] = 1_750_000_100; break;
            case "cnf of another session": claims["cnf"]!["sid"] = Base64Url.EncodeToString(new byte[16]); break;
            case "cnf missing": claims.Remove("cnf"); break;
            case "cnf with more": claims["cnf"]!["jwk"] = "x"; break;
            default: throw new ArgumentException(how);
        }
    }

    private bool Verify(byte[] token) => _tokens.TryVerify(_gateway, Agent, _session, token, out _);

    private JsonObject Header() => Parse(Encoding.ASCII.GetString(_tokens.Issue(_gateway, Agent, _session)).Split('.')[0]);

    private JsonObject Claims() => Parse(Encoding.ASCII.GetString(_tokens.Issue(_gateway, Agent, _session)).Split('.')[1]);

    /// <summary>With the gateway's own signature, whatever is in it: the attacker has found somebody to sign.</summary>
    private byte[] Token(JsonObject header, JsonObject claims) => Token(header.ToJsonString(), claims.ToJsonString());

    private byte[] Token(string header, string claims, GatewayIdentity? signer = null)
    {
        var input = Encoding.ASCII.GetBytes($"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}");
        var signature = new byte[64];
        JwsSignature.Sign(signer ?? _gateway, input, signature);
        return [.. input, (byte)'.', .. Encoding.ASCII.GetBytes(Base64Url.EncodeToString(signature))];
    }

    private static JsonObject Parse(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();

    private static string Text(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private static string Sorted(JsonObject json) =>
        new JsonObject(json.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()))).ToJsonString();

    private GatewayIdentity Identity(string name)
    {
        var key = SigningKey.Generate();
        return new GatewayIdentity(key, FleetCertificate.Create(_root, CertificateUse.Gateway, name, key.PublicKey, 0, long.MaxValue, 1));
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
