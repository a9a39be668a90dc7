using System.Collections.Concurrent;
using System.Net.WebSockets;
using Streams.Gateway.Tests.Support;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Attack;

/// <summary>Whatever becomes of the handshake's messages on their way, the gateway tells its peer nothing but no, counts why, and keeps nothing.</summary>
public sealed class HandshakeAttackTests(AttackedGateway attacked) : IClassFixture<AttackedGateway>
{
    /// <summary>Points of small order of Curve25519 (RFC 7748 section 6.1) and their encodings that are not canonical.</summary>
    private static readonly string[] SmallPoints =
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    private Dictionary<string, byte[]> Keys => attacked.Agents.ToDictionary(agent => agent.AgentId, agent => agent.PublicKey.ToArray());

    [Fact]
    public Task Every_byte_of_M2_flipped() => RefusedAsync(message => Enumerable.Range(0, message.Length)
        .SelectMany(at => new[] { Flip(message, at, 1 << (at % 8)), Flip(message, at, 0xff) }));

    [Fact]
    public Task M2_cut_or_continued_at_every_length() => RefusedAsync(message =>
        [.. Enumerable.Range(0, message.Length).Select(length => message[..length]),
         .. new[] { 1, 2, 16, 64, 4096 - message.Length, 4097 - message.Length, 4000 }.Select(more => (byte[])[.. message, .. new byte[more]]),
         [.. message, .. message]]);

    [Fact]
    public Task M2_of_other_versions_suites_modes_and_names() => RefusedAsync(message =>
        from at in new[] { 0, 1, 2, 3, AuthLayout.IdLength, AuthLayout.Id }
        from value in Enumerable.Range(0, 256)
        where message[at] != value
        select Flip(message, at, message[at] ^ value));

    [Fact]
    public async Task Messages_of_another_connection_direction_or_agent()
    {
        var others = await SampleAsync();
        await ForgedAsync(
            ("M2 of another connection", RefusalReason.BadSignature, (_, _) => others),
            ("M1 reflected", RefusalReason.Malformed, (hello, _) => hello),
            ("M3's form", RefusalReason.Malformed, (_, _) => [3, .. new byte[64]]),
            ("a refusal", RefusalReason.Malformed, (_, _) => RefusalMessage.Bytes.ToArray()),
            ("nothing", RefusalReason.Malformed, (_, _) => []),
            ("the neighbour's name, signed with the victim's key", RefusalReason.KeyMismatch, (hello, auth) =>
            {
                System.Text.Encoding.ASCII.GetBytes(attacked.Neighbour.AgentId, auth.AsSpan(AuthLayout.Id));
                return Sign(auth, hello, attacked.Victim.Key);
            }
        ),
            ("the neighbour's name and key, signed with the victim's", RefusalReason.BadSignature, (hello, _) =>
                Sign(Answer(hello, attacked.Neighbour), hello, attacked.Victim.Key)),
            ("the neighbour's key under the victim's name", RefusalReason.KeyMismatch, (hello, auth) =>
            {
                attacked.Neighbour.PublicKey.CopyTo(auth.AsSpan(AuthLayout.KeyAt(auth)));
                return Sign(auth, hello, attacked.Neighbour.Key);
            }
        ),
            ("a good signature of an epoch of zero", RefusalReason.Malformed, (hello, auth) =>
            {
                auth.AsSpan(AuthLayout.EphemeralAt(auth) + 32 + 32 + 8 + 16, 16).Clear();
                return Sign(auth, hello, attacked.Victim.Key);
            }
        ));
    }

    [Fact]
    public Task Points_of_small_order_that_the_agent_itself_signed() => ForgedAsync(
        [.. SmallPoints.SelectMany(point => new[] { 0, 0x80 }.Select(high =>
            ((string, RefusalReason, Func<byte[], byte[], byte[]?>))($"{point} {high:x}", RefusalReason.LowOrderKey, (hello, auth) =>
            {
                Convert.FromHexString(point).CopyTo(auth, AuthLayout.EphemeralAt(auth));
                auth[AuthLayout.EphemeralAt(auth) + 31] |= (byte)high;
                return Sign(auth, hello, attacked.Victim.Key);
            })))]);

    [Fact]
    public Task Signatures_that_a_lax_verifier_takes() => ForgedAsync(
        ("S above the order", RefusalReason.BadSignature, (_, auth) =>
        {
            var order = new System.Numerics.BigInteger(Convert.FromHexString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"), isUnsigned: true);
            var s = new System.Numerics.BigInteger(auth.AsSpan(auth.Length - 32), isUnsigned: true) + order;
            auth.AsSpan(auth.Length - 32).Clear();
            s.ToByteArray(isUnsigned: true).CopyTo(auth, auth.Length - 32);
            return auth;
        }
    ),
        ("all zero", RefusalReason.BadSignature, (_, auth) => [.. auth[..^64], .. new byte[64]]),
        ("R of small order", RefusalReason.BadSignature, (_, auth) => [.. auth[..^64], 1, .. new byte[31], .. auth[^32..]]),
        ("under another context", RefusalReason.BadSignature, (hello, auth) => Sign(auth, hello, attacked.Victim.Key, context: SigningInput.GatewayAuth)),
        ("without the transcript", RefusalReason.BadSignature, (_, auth) => Sign(auth, [], attacked.Victim.Key)));

    [Theory]
    [InlineData("streams.v1.bin, chat", "streams.v1.bin", "/v1/agent")]
    [InlineData("chat, streams.v1.bin", "streams.v1.bin", "/v1/agent")]
    [InlineData("streams.v1.bin,streams.v2.bin", "streams.v1.bin", "/v1/agent")]
    [InlineData("streams.v1.bin ", "streams.v1.bin", "/v1/agent")]
    [InlineData("streams.v1.bin", "streams.v1.bin", "/v1/agent/")]
    [InlineData("streams.v1.bin", "streams.v1.bin", "/v1/agent?x")]
    [InlineData("streams.v1.bin", "streams.v1.bin", "/")]
    public Task An_offer_or_a_path_that_somebody_changed_on_the_way(string offered, string selected, string path) => ForgedAsync(
        ("changed", RefusalReason.BadSignature, (hello, _) => Answer(hello, attacked.Victim, new HandshakeContext(offered, selected, path))));

    /// <summary>A man in the middle changes M1. What the agent cannot judge is in what it signs.</summary>
    [Fact]
    public async Task Every_byte_of_M1_flipped_is_seen_by_the_agent_or_by_the_gateway()
    {
        int length;
        await using (var agent = await attacked.UpgradeAsync())
        {
            length = (await agent.ReceiveAsync())!.Length;
        }

        var byAgent = new ConcurrentBag<int>();
        var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, () =>
            AttackedGateway.RunAsync(Enumerable.Range(0, length), async (at, lane) =>
            {
                await using var agent = await attacked.UpgradeAsync();
                var hello = Flip((await agent.ReceiveAsync())!, at, 1 << (at % 8));
                if (TryAnswer(hello, attacked.Agents[lane], HandshakeContext.Binary, out var auth) == RefusalReason.None)
                {
                    await AssertRefusedAsync(agent, auth, $"byte {at} of M1");
                }
                else
                {
                    byAgent.Add(at);
                }
            }));

        // The ephemeral key, the nonce and the time stand last; of the rest the agent judges all but the range of versions.
        Assert.InRange(byAgent.Max(), length - 73, length - 1);
        Assert.Equal(length - byAgent.Count, refused.GetValueOrDefault(nameof(RefusalReason.BadSignature)));
        Assert.True(refused[nameof(RefusalReason.BadSignature)] >= 72);
        Assert.All(refused.Keys, reason => Assert.Contains(reason, new[] { nameof(RefusalReason.BadSignature), nameof(RefusalReason.Disconnected) }));
    }

    [Fact]
    public async Task M2_that_does_not_come_comes_as_text_or_comes_twice()
    {
        var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, () => Task.WhenAll(SilentAsync(), TextAsync(), TwiceAsync()));
        Assert.Equal(1, refused[nameof(RefusalReason.TimedOut)]);
        Assert.Equal(1, refused[nameof(RefusalReason.Malformed)]);
        Assert.Equal(1, refused[nameof(RefusalReason.NotConfirmed)]);

        async Task SilentAsync()
        {
            await using var agent = await attacked.UpgradeAsync();
            Assert.NotNull(await agent.ReceiveAsync());
            await AssertToldNothingAsync(agent, "silence");
        }

        async Task TextAsync()
        {
            await using var agent = await attacked.UpgradeAsync();
            var auth = Answer((await agent.ReceiveAsync())!, attacked.Victim);
            // Text that is none, not being UTF-8, would be an error of the WebSocket and not of the handshake.
            await agent.Socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(auth)), WebSocketMessageType.Text, true, CancellationToken.None);
            await AssertToldNothingAsync(agent, "text");
        }

        async Task TwiceAsync()
        {
            await using var agent = await attacked.UpgradeAsync();
            byte[]? sent = null;
            await agent.AuthenticateAsync(attacked.Neighbour, attacked.Fixture.Roots, message => sent = message);
            await agent.SendRawAsync(sent!);
            while (await agent.ReceiveAsync() is not null)
            {
                // F0 and the goodbye are sealed: whoever repeats messages cannot read them.
            }

            Assert.Equal(CloseCode.Protocol, (CloseCode)agent.Socket.CloseStatus!);
        }
    }

    private async Task RefusedAsync(Func<byte[], IEnumerable<byte[]>> change)
    {
        // Where the fields are is the same in every M2 of agents whose names are of one length.
        var count = change(await SampleAsync()).Count();
        var expected = new ConcurrentDictionary<string, long>();
        var keys = Keys;
        var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, () =>
            AttackedGateway.RunAsync(Enumerable.Range(0, count), async (at, lane) =>
            {
                await using var agent = await attacked.UpgradeAsync();
                var message = change(Answer((await agent.ReceiveAsync())!, attacked.Agents[lane])).ElementAt(at);
                expected.AddOrUpdate(AuthLayout.Expect(message, keys).ToString(), 1, (_, sum) => sum + 1);
                await AssertRefusedAsync(agent, message, $"case {at}");
            }));
        Assert.Equal(expected.OrderBy(e => e.Key), refused.OrderBy(e => e.Key));
    }

    private async Task ForgedAsync(params (string Name, RefusalReason Reason, Func<byte[], byte[], byte[]?> Forge)[] cases)
    {
        foreach (var (name, reason, forge) in cases)
        {
            var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, async () =>
            {
                await using var agent = await attacked.UpgradeAsync();
                var hello = (await agent.ReceiveAsync())!;
                await AssertRefusedAsync(agent, forge(hello, Answer(hello, attacked.Victim))!, name);
            });
            Assert.True(refused.Count == 1 && refused.GetValueOrDefault(reason.ToString()) == 1, $"{name}: {string.Join(' ', refused)}");
        }
    }

    /// <summary>A good M2, of a connection that is over and counted.</summary>
    private async Task<byte[]> SampleAsync()
    {
        byte[] auth;
        await using (var agent = await attacked.UpgradeAsync())
        {
            auth = Answer((await agent.ReceiveAsync())!, attacked.Victim);
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        return auth;
    }

    private static async Task AssertRefusedAsync(RawAgent agent, byte[] message, string name)
    {
        await agent.SendRawAsync(message);
        await AssertToldNothingAsync(agent, name);
    }

    private static async Task AssertToldNothingAsync(RawAgent agent, string name)
    {
        var answer = await agent.ReceiveAsync();
        Assert.True(answer is not null && answer.AsSpan().SequenceEqual(RefusalMessage.Bytes), $"{name}: {(answer is null ? "closed" : Convert.ToHexString(answer))}");
        Assert.True(await agent.ReceiveAsync() is null, $"{name}: more than a refusal");
        Assert.True(agent.Socket.CloseStatus == (WebSocketCloseStatus)CloseCode.Refused && string.IsNullOrEmpty(agent.Socket.CloseStatusDescription), name);
    }

    private byte[] Answer(byte[] hello, AgentIdentity identity, HandshakeContext? context = null)
    {
        Assert.Equal(RefusalReason.None, TryAnswer(hello, identity, context ?? HandshakeContext.Binary, out var auth));
        return auth;
    }

    private RefusalReason TryAnswer(byte[] hello, AgentIdentity identity, HandshakeContext context, out byte[] auth)
    {
        using var arena = new KeyArena(4);
        Assert.Equal(RefusalReason.None, AgentHandshake.TryStart(identity, context, arena, out var handshake));
        using (handshake)
        {
            var buffer = new byte[AgentHandshake.MaxAuthBytes];
            var claims = new AgentClaims(1, 2, 3, 4, Catalogue.Digest.ToArray());
            var expected = new GatewayExpectations(attacked.Fixture.Roots, null, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
            var reason = handshake!.ReadHello(hello, in expected, in claims, buffer, out var length);
            auth = buffer[..length];
            return reason;
        }
    }

    private static byte[] Sign(byte[] auth, byte[] hello, SigningKey key, string context = SigningInput.AgentAuth)
    {
        var transcript = new Transcript(HandshakeContext.Binary.Prologue());
        transcript.Add(hello);
        var digest = new byte[Sha256.Size];
        transcript.Peek(auth.AsSpan(0, auth.Length - SigningKey.SignatureSize), digest);
        key.Sign(context, digest, auth.AsSpan(auth.Length - SigningKey.SignatureSize));
        return auth;
    }

    private static byte[] Flip(byte[] message, int at, int bits)
    {
        var copy = message.ToArray();
        copy[at] ^= (byte)bits;
        return copy;
    }
}
