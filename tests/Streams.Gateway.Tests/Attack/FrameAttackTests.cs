using System.Collections.Concurrent;
using System.Text;
using Streams.Gateway.Tests.Support;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Attack;

/// <summary>
/// Sealed frames changed, cut, repeated, skipped, swapped, reflected or taken from elsewhere. Each ends its session with the code that its
/// header deserves, none is acted on, and nothing of the session is left.
/// </summary>
public sealed class FrameAttackTests(AttackedGateway attacked) : IClassFixture<AttackedGateway>
{
    private const int Bodies = 6;
    private const int ReadyBytes = 8 + 2 + 1 + 6 + 1 + 4;

    public static TheoryData<FrameType> AgentsFrames =>
        [FrameType.Data, FrameType.Want, FrameType.Heartbeat, FrameType.Message, FrameType.Error];

    [Theory]
    [MemberData(nameof(AgentsFrames))]
    public async Task A_frame_with_a_changed_byte_ends_the_session(FrameType type)
    {
        // Every byte of the header, every byte of the tag, and some of the body.
        var places = Enumerable.Range(0, FrameHeader.Size).Concat(Enumerable.Range(1, FrameHeader.TagSize).Select(back => -back))
            .Concat(Enumerable.Range(0, Bodies).Select(i => FrameHeader.Size + i));
        await SessionsEndAsync(places.SelectMany(place => new[] { 1 << ((place + 64) % 8), 0xff }.Select(bits => ((string, Func<RawAgent, Task<byte[][]>>))
            ($"{type}: byte {place} ^ {bits:x2}", agent =>
            {
                var frame = Seal(agent, type);
                frame[place < 0 ? frame.Length + place : place] ^= (byte)bits;
                return Task.FromResult<byte[][]>([frame]);
            }
        ))));
    }

    [Theory]
    [MemberData(nameof(AgentsFrames))]
    public async Task A_frame_cut_continued_skipped_swapped_or_from_elsewhere_ends_the_session(FrameType type)
    {
        byte[]? others = null;
        await using (var other = await attacked.Fixture.ConnectAsync(attacked.Victim))
        {
            await other.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            others = Seal(other, type);
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        var cuts = new[] { 0, 1, FrameHeader.Size - 1, FrameHeader.Size, FrameHeader.Size + 1, FrameHeader.Overhead, -1, -16 };
        await SessionsEndAsync(
        [
            .. cuts.Select(cut => ((string, Func<RawAgent, Task<byte[][]>>))($"{type} cut to {cut}", agent =>
            {
                var frame = Seal(agent, type);
                return Task.FromResult<byte[][]>([frame[..(cut < 0 ? frame.Length + cut : cut)]]);
            })),
            ($"{type} continued", agent => Task.FromResult<byte[][]>([[.. Seal(agent, type), 0]])),
            ($"{type} skipped", agent =>
            {
                Seal(agent, type);
                return Task.FromResult<byte[][]>([Seal(agent, type)]);
            }),
            ($"{type} swapped with the one after it", agent =>
            {
                var first = Seal(agent, type);
                return Task.FromResult<byte[][]>([Seal(agent, type), first]);
            }),
            ($"{type} of another session at this place", _ => Task.FromResult<byte[][]>([others])),
            ($"{type} of the next key too early", agent =>
            {
                var frame = Seal(agent, type);
                frame[7] = 1;
                frame.AsSpan(8, 8).Clear();
                return Task.FromResult<byte[][]>([frame]);
            }),
            ($"{type} of another direction", async agent => [(await agent.ReceiveAsync())!]),
        ]);
    }

    /// <summary>An error is counted twice: as a frame, and as a message that the agent did not take.</summary>
    [Fact]
    public Task A_frame_that_was_taken_is_not_taken_again() => SessionsEndAsync(
        new[] { FrameType.Want, FrameType.Heartbeat, FrameType.Error }.Select(type => ((string, Func<RawAgent, Task<byte[][]>>))($"{type} repeated", agent =>
        {
            var frame = Seal(agent, type);
            return Task.FromResult<byte[][]>([frame, frame]);
        }
        )), taken: 4);

    [Fact]
    public async Task Ready_that_is_not_exactly_this_sessions_begins_nothing()
    {
        var cases = Enumerable.Range(0, FrameHeader.Overhead + ReadyBytes).SelectMany(at => new[] { 1 << (at % 8), 0xff }.Select(bits => (at, bits))).ToList();
        byte[]? others = null;
        await using (var other = await attacked.UpgradeAsync())
        {
            await other.HandshakeAsync(attacked.Victim, attacked.Fixture.Roots);
            others = Ready(other);
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        var opened = attacked.Counters("streams.gateway.sessions.opened").Values.Sum();
        var codes = new ConcurrentBag<(string Case, CloseCode Code)>();
        var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, () =>
            AttackedGateway.RunAsync(cases.Append((-1, 0)).Append((-2, 0)).Append((-3, 0)).Append((-4, 0)), async (change, lane) =>
            {
                var (at, bits) = change;
                await using var agent = await attacked.UpgradeAsync();
                await agent.HandshakeAsync(attacked.Agents[lane], attacked.Fixture.Roots);
                var frame = Ready(agent);
                switch (at)
                {
                    case -1:
                        frame = others;
                        break;
                    case -2:
                        frame = frame[..^1];
                        break;
                    case -3:
                        frame = Ready(agent);
                        break;
                    case -4:
                        frame = [.. frame, 0];
                        break;
                    default:
                        frame[at] ^= (byte)bits;
                        break;
                }

                await agent.SendRawAsync(frame);
                codes.Add(($"ready {at} {bits:x2}", await agent.WaitForCloseAsync()));
                Assert.All(agent.Inbox, received => Assert.Equal(FrameType.Goodbye, received.Type));
            }));
        Assert.All(codes, seen => Assert.Equal((seen.Case, CloseCode.Protocol), seen));
        Assert.Equal(new Dictionary<string, long> { [nameof(RefusalReason.NotConfirmed)] = cases.Count + 4 }, refused);
        Assert.Equal(opened, attacked.Counters("streams.gateway.sessions.opened").Values.Sum());
    }

    /// <summary>Each case in a session of its own, which it must end; what was sent must not have been acted on.</summary>
    /// <param name="taken">Frames among them that are good.</param>
    private async Task SessionsEndAsync(IEnumerable<(string Name, Func<RawAgent, Task<byte[][]>> Messages)> cases, long taken = 0)
    {
        var expected = new ConcurrentDictionary<string, long>();
        var seen = new ConcurrentBag<(string Name, CloseCode Expected, CloseCode Code)>();
        var acted = Acted();
        var ended = await attacked.CountAsync("streams.gateway.sessions.ended", begin: true, () => AttackedGateway.RunAsync(cases, async (attack, lane) =>
        {
            await using var agent = await attacked.UpgradeAsync();
            await agent.HandshakeAsync(attacked.Agents[lane], attacked.Fixture.Roots);
            await agent.ReadyAsync();
            var reflects = attack.Name.Contains("direction", StringComparison.Ordinal);
            if (!reflects)
            {
                await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            }

            var messages = await attack.Messages(agent);
            var code = Expect(messages[^1], agent);
            foreach (var message in messages)
            {
                await agent.SendRawAsync(message);
            }

            expected.AddOrUpdate(code == CloseCode.CreditExceeded ? "credit_exceeded" : "protocol", 1, (_, sum) => sum + 1);
            seen.Add((attack.Name, code, reflects ? await DrainAsync(agent) : await agent.WaitForCloseAsync()));
        }));
        Assert.All(seen, one => Assert.Equal((one.Name, one.Expected), (one.Name, one.Code)));
        Assert.Equal(expected.OrderBy(e => e.Key), ended.OrderBy(e => e.Key));
        Assert.Equal(acted + taken, Acted());
    }

    /// <summary>Frames that the gateway did something for: control frames that opened, batches handed on, messages taken or answered.</summary>
    private long Acted() =>
        attacked.Counters("streams.gateway.control").Where(counter => counter.Key.StartsWith("received", StringComparison.Ordinal)).Sum(counter => counter.Value)
        + new[] { "streams.gateway.sent", "streams.gateway.messages", "streams.gateway.messages.refused", "streams.gateway.signatures" }
            .Sum(name => attacked.Counters(name).Where(counter => counter.Key != "handshake").Sum(counter => counter.Value));

    /// <summary>PROTOCOL.md sections 4 and 5, written down a second time: a data frame with a good header above the credit is 4402, all else 4401.</summary>
    private static CloseCode Expect(byte[] frame, RawAgent agent)
    {
        if (frame.Length < FrameHeader.Size || frame[0] != 1 || frame[1] != 2 || frame[2] != 0 || frame[3] > 5)
        {
            return CloseCode.Protocol;
        }

        var length = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(16));
        return length != 0 && length % 256 == 0 && length <= 262_144 - 36 && length + 36 > agent.Credit((LaneClass)frame[3])
            ? CloseCode.CreditExceeded : CloseCode.Protocol;
    }

    private static async Task<CloseCode> DrainAsync(RawAgent agent)
    {
        while (await agent.ReceiveAsync() is not null)
        {
            // What was taken out of the order cannot be opened any more; the close can be seen.
        }

        return (CloseCode)agent.Socket.CloseStatus!;
    }

    private static byte[] Ready(RawAgent agent)
    {
        var payload = new byte[ReadyMessage.MaxBytes];
        return agent.Seal(FrameType.Ready, payload[..new ReadyMessage(agent.Session.Generation, 1, "attack", "host").Write(payload)], LaneClass.Control);
    }

    private static byte[] Seal(RawAgent agent, FrameType type)
    {
        switch (type)
        {
            case FrameType.Data:
                return agent.Seal(type, Batches.Pad(Batches.Make(agent.Epoch, 1, 0)), LaneClass.Event);
            case FrameType.Want:
                return agent.Seal(type, new byte[WantMessage.Length], LaneClass.Control);
            case FrameType.Heartbeat:
                var heartbeat = new byte[HeartbeatMessage.MaxBytes];
                return agent.Seal(type, heartbeat[..new HeartbeatMessage { SentAt = 77 }.Write(heartbeat)], LaneClass.Control);
            case FrameType.Error:
                var error = new byte[ErrorMessage.MaxBytes];
                return agent.Seal(type, error[..new ErrorMessage(WireError.Unsupported, 4, "none", "").Write(error)], LaneClass.Control);
            default:
                var message = Encoding.ASCII.GetBytes("not a message, and nothing that opens to be one, of a good eighty bytes of text..");
                return agent.Seal(type, message, LaneClass.Control);
        }
    }
}
