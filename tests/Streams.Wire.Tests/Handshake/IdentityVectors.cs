using System.Text.Json;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Wire.Tests.Handshake;

/// <summary>Vectors of enrolment and of what roots and agents state about keys. Inputs as in <see cref="VectorFile"/>.</summary>
internal static class IdentityVectors
{
    /// <summary>A handshake of mode enrol, from the gateway's and the agent's keys of handshake-v1.json, and its first frames.</summary>
    internal static Dictionary<string, string> MakeEnrolment()
    {
        using var pair = new Pair(offer: new GatewayOffer(Protocol.Versions, AllowsEnrolment: true), enrol: true);
        pair.Complete();
        var v = new Dictionary<string, string>();
        void Add(string name, ReadOnlySpan<byte> value) => v.Add(name, Convert.ToHexStringLower(value));
        Add("m1", pair.Hello);
        Add("m2", pair.Auth);
        Add("m3", pair.Accept);
        Add("h3", pair.GatewaySide.TranscriptHash);
        Add("session_id", pair.AgentKeys!.SessionId);
        var (agent, gatewayOpener) = pair.AgentToGateway();
        var (gateway, agentOpener) = pair.GatewayToAgent();
        var session = new SessionMessage { Generation = 0, Gateway = "gw-1", CatalogueVersion = 1, CatalogueDigest = Pair.Fill(0x77), Watermarks = [] };
        var payload = new byte[session.Length];
        session.Write(payload);
        Add("f0_session_plaintext", payload);
        Add("f0_session_frame", Seal(gateway, FrameType.Session, payload));
        var ready = new byte[ReadyMessage.MaxBytes];
        ready = ready[..new ReadyMessage(0, 1, "0.1.0", "host-1").Write(ready)];
        Add("f0_ready_plaintext", ready);
        Add("f0_ready_frame", Seal(agent, FrameType.Ready, ready));
        var request = new ControlMessage(MessageType.Request, Channels.Registry, "enrol-1", "core", 1_750_000_001_000_000, "{\"token\":\"id.secret\"}"u8.ToArray());
        payload = new byte[MessageFrame.GetLength(request)];
        MessageFrame.Write(request, pair.Agent, pair.AgentKeys.SessionId, agent.NameNext(), payload);
        Add("f1_message_a2g_plaintext", payload);
        Add("f1_message_a2g_frame", Seal(agent, FrameType.Message, payload));
        agent.Dispose();
        gateway.Dispose();
        gatewayOpener.Dispose();
        agentOpener.Dispose();
        return v;
    }

    internal static Dictionary<string, string> MakeStatements()
    {
        using var root = SigningKey.FromSeed(Pair.Fill(0x10));
        using var next = SigningKey.FromSeed(Pair.Fill(0x11));
        using var agent = SigningKey.FromSeed(Pair.Fill(0x30));
        using var rotated = SigningKey.FromSeed(Pair.Fill(0x31));
        var v = new Dictionary<string, string>();
        void Add(string name, ReadOnlySpan<byte> value) => v.Add(name, Convert.ToHexStringLower(value));
        Add("root_pk", root.PublicKey);
        Add("next_root_seed", Pair.Fill(0x11));
        Add("next_root_pk", next.PublicKey);
        Add("agent_pk", agent.PublicKey);
        Add("new_agent_seed", Pair.Fill(0x31));
        Add("new_agent_pk", rotated.PublicKey);
        Add("revocations", RevocationList.Create(root, 3, Pair.Now, [41, 7]).Bytes);
        Add("root_succession", RootSuccession.Create(root, next.PublicKey, Pair.Now).Bytes);
        Add("root_retirement", RootSuccession.Create(next, next.PublicKey, Pair.Now).Bytes);
        var signature = new byte[SigningKey.SignatureSize];
        KeyRotation.Sign(agent, "agent-001", agent.PublicKey, rotated.PublicKey, signature);
        Add("rotation_signature_old", signature);
        KeyRotation.Sign(rotated, "agent-001", agent.PublicKey, rotated.PublicKey, signature);
        Add("rotation_signature_new", signature);
        // Of the batches of batch-v1.bin, whose chain another test makes.
        using var chain = JsonDocument.Parse(File.ReadAllText(VectorFolder.File("digest-chain-v1.json")));
        agent.Sign("batch proof", Convert.FromHexString(chain.RootElement.GetProperty("checkpoint").GetString()!), signature);
        Add("checkpoint_signature", signature);
        return v;
    }

    private static byte[] Seal(FrameSealer sealer, FrameType type, byte[] plaintext)
    {
        var frame = new byte[plaintext.Length + FrameHeader.Overhead];
        sealer.Seal(type, LaneClass.Control, plaintext, frame);
        return frame;
    }
}
