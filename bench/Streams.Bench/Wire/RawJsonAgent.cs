using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Streams.Bench.Running;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Json;
using Streams.Wire.Keys;

namespace Streams.Bench.Wire;

/// <summary>One session of <c>streams.v1.json</c> that sends events of its own, each a message that is signed, as fast as credit lets it.</summary>
internal sealed class RawJsonAgent : IDisposable
{
    private const string LaneClass = "event";
    private const int MaxContentBytes = 512;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _heard = new(0);
    private readonly byte[] _received = new byte[Streams.Wire.Limits.MaxFrameBytes];
    private readonly byte[] _content = new byte[MaxContentBytes];
    private readonly string _agent;
    private readonly string _epoch;
    private JsonSealer _sealer = null!;
    private JsonOpener _opener = null!;
    private byte[] _token = [];
    private byte[] _text = [];
    private long _credit;
    private long _spent;
    private long _committed;
    private int _messages;

    private RawJsonAgent(string agent, UInt128 epoch)
    {
        _agent = agent;
        _epoch = epoch.ToString("x32", CultureInfo.InvariantCulture);
    }

    public int Sent { get; private set; }

    /// <summary>To the end of `ready`.</summary>
    /// <exception cref="BenchFailure">Refused, or not as the protocol has it.</exception>
    public static async Task<RawJsonAgent> ConnectAsync(IPEndPoint gateway, AgentIdentity identity, FleetRoots roots, KeyArena arena, AgentClaims claims, CancellationToken stop)
    {
        var agent = new RawJsonAgent(identity.AgentId, claims.Epoch);
        try
        {
            await agent.BeginAsync(gateway, identity, roots, arena, claims, stop);
            return agent;
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    /// <summary>Sends for so long, then waits until all of it is committed.</summary>
    public async Task SendAsync(TimeSpan load, TimeSpan flush, CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var receiving = ReceiveAllAsync(ended.Token);
        var until = DateTime.UtcNow + load;
        for (var beat = DateTime.UtcNow + Heartbeat; DateTime.UtcNow < until;)
        {
            await SendEventAsync(receiving, stop);
            if (DateTime.UtcNow > beat)
            {
                beat += Heartbeat;
                await BeatAsync(stop);
            }
        }

        until = DateTime.UtcNow + flush;
        while (Volatile.Read(ref _committed) < Sent)
        {
            if (!await HeardAsync(receiving, until - DateTime.UtcNow, stop))
            {
                throw new BenchFailure($"{Volatile.Read(ref _committed)} of {Sent} JSON messages were committed within {flush.TotalSeconds:0} s");
            }
        }

        await ended.CancelAsync();
    }

    public void Dispose()
    {
        _sealer?.Dispose();
        _opener?.Dispose();
        _socket.Dispose();
        _heard.Dispose();
    }

    private async Task BeginAsync(IPEndPoint gateway, AgentIdentity identity, FleetRoots roots, KeyArena arena, AgentClaims claims, CancellationToken stop)
    {
        _socket.Options.AddSubProtocol(Protocol.JsonSubprotocol);
        await _socket.ConnectAsync(new Uri($"ws://{gateway}{Protocol.Path}"), stop);
        Check(AgentHandshake.TryStart(identity, HandshakeContext.Json, arena, out var started) == RefusalReason.None, "no handshake");
        using var handshake = started!;
        var auth = new byte[AgentHandshake.MaxAuthBytes];
        var expected = new GatewayExpectations(roots, null, null);
        var reason = handshake.ReadHello(HandshakeMessage(await ReceiveAsync(stop)), in expected, in claims, auth, out var written);
        Check(reason == RefusalReason.None, $"M1: {reason}");
        var text = new byte[HandshakeEnvelope.MaxBytes];
        await SendTextAsync(text.AsMemory(0, HandshakeEnvelope.Write(auth.AsSpan(0, written), MessageType.Response, _agent, Now(), text)), stop);
        reason = handshake.ReadAccept(HandshakeMessage(await ReceiveAsync(stop)), out var keys);
        Check(reason == RefusalReason.None, $"M3: {reason}");
        _sealer = new JsonSealer(keys!, identity, TimeProvider.System);
        _opener = new JsonOpener(keys!, fromAgent: false, handshake.Gateway!.PublicKey.ToArray());
        var session = Hear(await ReceiveAsync(stop));
        _token = Encoding.ASCII.GetBytes(session["token"]!.GetValue<string>());
        _text = new byte[JsonSealer.GetMaxLength(MaxContentBytes, _token.Length)];
        await SendAsync("auth", MessageType.Response, $$"""{"generation":{{session["generation"]}},"catalogue_version":{{Catalogue.Version}},"agent_version":"bench","host":"bench"}""", stop);
        await BeatAsync(stop);
    }

    private Task BeatAsync(CancellationToken stop) => SendAsync("heartbeat", MessageType.Event, $$"""{"sent_at":{{Now()}}}""", stop);

    private async Task SendEventAsync(Task receiving, CancellationToken stop)
    {
        var number = Sent;
        Utf8.TryWrite(
            _content, CultureInfo.InvariantCulture,
            $$"""{"epoch":"{{_epoch}}","lane":0,"n":{{number}},"class":"process_exec","schema":1,"events":[{"time":{{Now()}},"seq":{{number + 1}},"pid":{{1000 + (number & 4095)}},"ppid":1,"comm":"program-{{number % 100}}","filename":"/usr/bin/program-{{number % 100}}","argv":"program-{{number % 100}} --option","argc":2}]}""",
            out var length);
        var most = JsonSealer.GetMaxLength(length, _token.Length);
        if (_spent + most > Volatile.Read(ref _credit))
        {
            await SendAsync("session.flow.credit", MessageType.Request, $$$"""{"{{{LaneClass}}}":{"next":{{{most}}},"queued":{{{256 * most}}}}}""", stop);
            while (_spent + most > Volatile.Read(ref _credit))
            {
                await HeardAsync(receiving, Timeout.InfiniteTimeSpan, stop);
            }
        }

        var head = new EnvelopeHead($"{_epoch}-0-{number}", MessageType.Event, "agent.observability", Now(), _agent, "observability", _token);
        var sealedBytes = _sealer.Seal(in head, _content.AsSpan(0, length), _text);
        _spent += sealedBytes;
        await SendTextAsync(_text.AsMemory(0, sealedBytes), stop);
        Sent++;
    }

    private async Task SendAsync(string channel, MessageType type, string content, CancellationToken stop)
    {
        var head = new EnvelopeHead($"b{_messages++}", type, channel, Now(), _agent, "comm", _token);
        var length = _sealer.Seal(in head, Encoding.UTF8.GetBytes(content), _text);
        await SendTextAsync(_text.AsMemory(0, length), stop);
    }

    private async Task ReceiveAllAsync(CancellationToken stop)
    {
        while (true)
        {
            Hear(await ReceiveAsync(stop));
            _heard.Release();
        }
    }

    /// <summary>Waits for a message of the gateway; false when there was none in that time.</summary>
    /// <exception cref="BenchFailure">The session ended.</exception>
    private async Task<bool> HeardAsync(Task receiving, TimeSpan patience, CancellationToken stop)
    {
        if (receiving.IsCompleted)
        {
            await receiving;
        }

        var heard = _heard.WaitAsync(patience > TimeSpan.Zero || patience == Timeout.InfiniteTimeSpan ? patience : TimeSpan.Zero, stop);
        return await Task.WhenAny(heard, receiving) == heard && await heard;
    }

    private JsonNode Hear(Memory<byte> text)
    {
        var error = EnvelopeReader.TryRead(text.Span, fromAgent: false, out var envelope, out var field);
        Span<byte> content = default;
        error = error == WireError.None ? _opener.TryOpen(text.Span, envelope!, out content, out field) : error;
        Check(error == WireError.None, $"a message of the gateway: {error} {field}");
        Check(!envelope!.IsRekey, "a rekey in a short run");
        var document = JsonNode.Parse(content)!;
        switch (envelope.Channel.Number)
        {
            case Channels.FlowCredit:
                Volatile.Write(ref _credit, document[LaneClass]!.GetValue<long>());
                break;
            case Channels.FlowWatermark:
                Volatile.Write(ref _committed, document["lanes"]![0]!["committed"]!.GetValue<long>());
                break;
            case Channels.FlowRewind or Channels.FlowHold or Channels.FlowError:
                throw new BenchFailure($"the gateway says {envelope.Channel.Name}: {document.ToJsonString()}");
        }

        return document;
    }

    private async Task<Memory<byte>> ReceiveAsync(CancellationToken stop)
    {
        for (var length = 0; ;)
        {
            var result = await _socket.ReceiveAsync(_received.AsMemory(length), stop);
            Check(result.MessageType == WebSocketMessageType.Text, $"closed with {(int?)_socket.CloseStatus}");
            length += result.Count;
            if (result.EndOfMessage)
            {
                return _received.AsMemory(0, length);
            }
        }
    }

    private ValueTask SendTextAsync(ReadOnlyMemory<byte> text, CancellationToken stop) =>
        _socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, stop);

    private static Span<byte> HandshakeMessage(Memory<byte> text)
    {
        Check(HandshakeEnvelope.TryRead(text.Span, fromAgent: false, out var message, out _), "no envelope of the handshake");
        return message;
    }

    private static ulong Now() => (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new BenchFailure(what);
        }
    }
}
