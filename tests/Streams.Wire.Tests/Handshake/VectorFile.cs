using System.Text;
using System.Text.Json;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Wire.Tests.Handshake;

/// <summary>Makes tests/vectors/handshake-v1.json from fixed inputs with our own code. All values are hex.</summary>
internal static class VectorFile
{
    internal static string FilePath => VectorFolder.File("handshake-v1.json");

    internal static Dictionary<string, string> Make()
    {
        using var pair = new Pair();
        var v = new Dictionary<string, string>();
        void Add(string name, ReadOnlySpan<byte> value) => v.Add(name, Convert.ToHexStringLower(value));

        Add("root_seed", Pair.Fill(0x10));
        Add("root_pk", pair.Root.PublicKey);
        Add("gateway_seed", Pair.Fill(0x20));
        Add("gateway_pk", pair.Gateway.Certificate.PublicKey);
        Add("gateway_certificate", pair.Gateway.Certificate.Bytes);
        Add("agent_seed", Pair.Fill(0x30));
        Add("agent_pk", pair.Agent.PublicKey);
        Add("gateway_ephemeral_secret", Pair.Fill(0x40));
        Add("gateway_nonce", Pair.Fill(0x41));
        Add("agent_ephemeral_secret", Pair.Fill(0x50));
        Add("agent_nonce", Pair.Fill(0x51));
        Add("offered_subprotocols", Encoding.ASCII.GetBytes(HandshakeContext.Binary.OfferedSubprotocols));
        Add("selected_subprotocol", Encoding.ASCII.GetBytes(HandshakeContext.Binary.SelectedSubprotocol));
        Add("request_path", Encoding.ASCII.GetBytes(HandshakeContext.Binary.RequestPath));
        Add("prologue", HandshakeContext.Binary.Prologue());
        Add("h0", pair.GatewaySide.TranscriptHash);
        var hello = pair.MakeHello();
        Add("m1", hello);
        Add("h1", pair.GatewaySide.TranscriptHash);
        Assert.Equal(RefusalReason.None, pair.MakeAuth(hello));
        Add("m2", pair.Auth);
        Add("h2", pair.AgentSide.TranscriptHash);
        Assert.Equal(RefusalReason.None, pair.MakeAccept(pair.Auth));
        Add("m3", pair.Accept);
        var h3 = pair.GatewaySide.TranscriptHash.ToArray();
        Add("h3", h3);
        Assert.Equal(RefusalReason.None, pair.Finish(pair.Accept));
        Secrets(h3, Add);
        Add("session_id", pair.AgentKeys!.SessionId);
        FramesOf(pair, Add);
        return v;
    }

    private delegate void Adder(string name, ReadOnlySpan<byte> value);

    private static void Secrets(byte[] h3, Adder add)
    {
        using var arena = new KeyArena(4);
        using var gateway = EphemeralKey.TryFromSecret(arena, Pair.Fill(0x40))!;
        using var agent = EphemeralKey.TryFromSecret(arena, Pair.Fill(0x50))!;
        add("gateway_ephemeral_public", gateway.PublicKey);
        add("agent_ephemeral_public", agent.PublicKey);
        Span<byte> secret = stackalloc byte[32];
        Assert.True(gateway.TryAgree(agent.PublicKey, secret));
        add("z", secret);
        var prk = new byte[32];
        KeySchedule.Extract(h3, secret, prk);
        add("prk", prk);
        KeySchedule.Derive(prk, KeySchedule.ExporterLabel, h3, secret);
        add("exporter", secret);
        Direction("a2g", KeySchedule.AgentToGatewayLabel, prk, h3, add);
        Direction("g2a", KeySchedule.GatewayToAgentLabel, prk, h3, add);
    }

    private static void Direction(string name, ReadOnlySpan<byte> label, byte[] prk, byte[] h3, Adder add)
    {
        var secret = new byte[32];
        KeySchedule.Derive(prk, label, h3, secret);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var key = new byte[32];
            var iv = new byte[12];
            Hkdf.Expand(secret, "key"u8, key);
            Hkdf.Expand(secret, "iv"u8, iv);
            add($"s_{name}_{epoch}", secret);
            add($"key_{name}_{epoch}", key);
            add($"iv_{name}_{epoch}", iv);
            Hkdf.Expand(secret.ToArray(), "next"u8, secret);
        }
    }

    private static void FramesOf(Pair pair, Adder add)
    {
        var (agent, gatewayOpener) = pair.AgentToGateway();
        var (gateway, agentOpener) = pair.GatewayToAgent();
        var session = new SessionMessage
        {
            Token = "header.claims.signature"u8.ToArray(),
            Revocations = RevocationList.Create(pair.Root, 3, Pair.Now, [7, 41]).Bytes.ToArray(),
            Generation = 5,
            Gateway = "gw-1",
            CatalogueVersion = 1,
            CatalogueDigest = Pair.Fill(0x77),
            Watermarks = [new LaneWatermark(pair.Claims.Epoch, 3, 17)],
        };
        var payload = new byte[session.Length];
        session.Write(payload);
        Frame("f0_session", gateway, agentOpener, FrameType.Session, LaneClass.Control, payload);
        var ready = new byte[ReadyMessage.MaxBytes];
        Frame("f0_ready", agent, gatewayOpener, FrameType.Ready, LaneClass.Control, ready[..new ReadyMessage(5, 1, "0.1.0", "host-1").Write(ready)]);
        var credit = new byte[CreditMessage.Length];
        CreditMessage.Write([0, 16384, 16384, 65536, 16384, 0], credit);
        Frame("f1_credit", gateway, agentOpener, FrameType.Credit, LaneClass.Control, credit);
        Frame("f1_data", agent, gatewayOpener, FrameType.Data, LaneClass.Event, [.. Enumerable.Range(0, 256).Select(i => (byte)i)]);
        agent.Rekey();
        Frame("f2_data_after_rekey", agent, gatewayOpener, FrameType.Data, LaneClass.Event, new byte[256]);
        ControlFrames(pair, agent, gatewayOpener, gateway, agentOpener, Frame);
        agent.Dispose();
        gateway.Dispose();
        gatewayOpener.Dispose();
        agentOpener.Dispose();

        void Frame(string name, FrameSealer sealer, FrameOpener opener, FrameType type, LaneClass laneClass, byte[] plaintext)
        {
            var frame = new byte[plaintext.Length + FrameHeader.Overhead];
            sealer.Seal(type, laneClass, plaintext, frame);
            add(name + "_plaintext", plaintext);
            add(name + "_frame", frame);
            Assert.Equal(FrameError.None, opener.TryOpen(frame.ToArray(), out _, out _));
        }
    }

    private delegate void Framer(string name, FrameSealer sealer, FrameOpener opener, FrameType type, LaneClass laneClass, byte[] plaintext);

    /// <summary>A signed message each way, a token and an error.</summary>
    private static void ControlFrames(Pair pair, FrameSealer agent, FrameOpener gatewayOpener, FrameSealer gateway, FrameOpener agentOpener, Framer frame)
    {
        var command = new ControlMessage(MessageType.Request, Channels.Control, "cmd-1", "core", 1_750_000_001_000_000, "{\"kind\":\"status\"}"u8.ToArray());
        var payload = new byte[MessageFrame.GetLength(command)];
        MessageFrame.Write(command, pair.Gateway, pair.GatewayKeys!.SessionId, gateway.NameNext(), payload);
        frame("f2_message_g2a", gateway, agentOpener, FrameType.GatewayMessage, LaneClass.Control, payload);
        var answer = command with { Type = MessageType.Response, Payload = "{\"state\":\"received\"}"u8.ToArray() };
        payload = new byte[MessageFrame.GetLength(answer)];
        MessageFrame.Write(answer, pair.Agent, pair.AgentKeys!.SessionId, agent.NameNext(), payload);
        frame("f3_message_a2g", agent, gatewayOpener, FrameType.Message, LaneClass.Control, payload);
        var token = new byte[TokenMessage.MaxBytes];
        frame("f3_token", gateway, agentOpener, FrameType.Token, LaneClass.Control, token[..TokenMessage.Write("header.claims.signature"u8, token)]);
        var error = new byte[ErrorMessage.MaxBytes];
        var length = new ErrorMessage(WireError.WrongType, Channels.Control, "cmd-1", "").Write(error);
        frame("f4_error_a2g", agent, gatewayOpener, FrameType.Error, LaneClass.Control, error[..length]);
        frame("f4_error_g2a", gateway, agentOpener, FrameType.GatewayError, LaneClass.Control, error[..length]);
    }

    internal static string Format(Dictionary<string, string> vectors) =>
        JsonSerializer.Serialize(vectors, new JsonSerializerOptions { WriteIndented = true }) + "\n";

    internal static Dictionary<string, byte[]> Read() => JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(FilePath))!
        .ToDictionary(entry => entry.Key, entry => Convert.FromHexString(entry.Value));
}
