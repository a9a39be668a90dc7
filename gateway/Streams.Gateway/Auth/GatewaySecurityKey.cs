using System.Buffers.Text;
using System.Text;
using Microsoft.IdentityModel.Tokens;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Auth;

/// <summary>The gateway's Ed25519 key as the JWT library knows keys; its secret half stays where it is.</summary>
internal sealed class GatewaySecurityKey : AsymmetricSecurityKey
{
    public GatewaySecurityKey(GatewayIdentity identity)
    {
        Identity = identity;
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(identity.Certificate.PublicKey, digest);
        KeyId = Convert.ToHexStringLower(digest[..8]);
        TokenHeader = Base64Url.EncodeToUtf8(Encoding.UTF8.GetBytes($$"""{"alg":"{{JwsSignature.Algorithm}}","kid":"{{KeyId}}","typ":"{{SessionTokens.Type}}"}"""));
        CryptoProviderFactory = new CryptoProviderFactory { CustomCryptoProvider = new Provider(), CacheSignatureProviders = false };
    }

    public GatewayIdentity Identity { get; }

    /// <summary>Of every token that it signs, as base64url.</summary>
    public byte[] TokenHeader { get; }

    public override int KeySize => 256;

    public override PrivateKeyStatus PrivateKeyStatus => PrivateKeyStatus.Exists;

    [Obsolete("The base class has replaced it.")]
    public override bool HasPrivateKey => true;

    /// <summary>Nothing but EdDSA with such a key: with it every other algorithm is unsupported, whatever a token's header says.</summary>
    private sealed class Provider : ICryptoProvider
    {
        public bool IsSupportedAlgorithm(string algorithm, params object[] args) =>
            algorithm == JwsSignature.Algorithm && args is [GatewaySecurityKey, ..];

        public object Create(string algorithm, params object[] args) => new Signatures((GatewaySecurityKey)args[0]);

        public void Release(object cryptoInstance)
        {
        }
    }

    private sealed class Signatures(GatewaySecurityKey key) : SignatureProvider(key, JwsSignature.Algorithm)
    {
        public override byte[] Sign(byte[] input)
        {
            var signature = new byte[SigningKey.SignatureSize];
            JwsSignature.Sign(key.Identity, input, signature);
            return signature;
        }

        public override bool Sign(ReadOnlySpan<byte> data, Span<byte> destination, out int bytesWritten)
        {
            JwsSignature.Sign(key.Identity, data, destination);
            bytesWritten = SigningKey.SignatureSize;
            return true;
        }

        public override bool Verify(byte[] input, byte[] signature) => JwsSignature.Verify(key.Identity.Certificate.PublicKey, input, signature);

        public override bool Verify(byte[] input, int inputOffset, int inputLength, byte[] signature, int signatureOffset, int signatureLength) =>
            JwsSignature.Verify(
                key.Identity.Certificate.PublicKey, input.AsSpan(inputOffset, inputLength), signature.AsSpan(signatureOffset, signatureLength));

        protected override void Dispose(bool disposing)
        {
        }
    }
}
