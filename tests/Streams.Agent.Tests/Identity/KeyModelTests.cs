using Streams.Agent.Logging;
using Streams.Agent.Modules.Core.Identity;
using Streams.AgentLink;
using Streams.Control.Identity;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Identity;

/// <summary>
/// A host whose key is changed again and again, through a captured gateway and two honest ones in any order, by a process that is killed between
/// any two writes: the Registry's key is always one of the host's, and those are three at most.
/// </summary>
public sealed class KeyModelTests : IDisposable
{
    private const string Agent = "web-1";

    private readonly TempDirectory _folder = new("keys");
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly FleetCertificate[] _gateways;
    private readonly List<(byte[] Session, RotateRequest Request)> _signed = [];
    private RegistryModel _registry = null!;
    private RegistryChannel _channel = null!;
    private FleetCertificate? _gateway;
    private ControlMessage? _sent;

    public KeyModelTests() => _gateways = [.. Enumerable.Range(1, 3).Select(serial =>
    {
        using var key = SigningKey.Generate();
        return FleetCertificate.Create(_root, CertificateUse.Gateway, "gateway", key.PublicKey, 1, 2, (ulong)serial);
    })];

    public void Dispose()
    {
        _root.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_registrys_key_is_always_one_of_the_hosts()
    {
        var settled = 0;
        for (var seed = 0; seed < 40; seed++)
            settled += Run(new Random(seed), $"{_folder.Path}/{seed}");
        // Else the walk shows nothing of what is dropped.
        Assert.True(settled > 40, $"{settled} times a key was dropped");
    }

    private int Run(Random random, string folder)
    {
        Directory.CreateDirectory(folder);
        var files = new AgentKeyFiles(folder + "/agent.key");
        using (var key = files.ReadOrMake())
            _registry = new RegistryModel(Agent, key.PublicKey.ToArray());
        _signed.Clear();
        _channel = Start(files);
        var (dropped, last) = (0, 1);
        for (var step = 0; step < 100; step++)
        {
            var before = Content(folder);
            switch (random.Next(8))
            {
                case 0:
                    files.MakeNext();
                    break;
                case 1:
                    Restart(files);
                    break;
                case 2:
                    _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
                    break;
                case < 6:
                    Captured(random);
                    break;
                default:
                    Honest(_gateways[random.Next(1, 3)]);
                    break;
            }

            if (before.ContainsKey(".next") && !files.HasNext && random.Next(2) == 0)
            {
                // Killed inside the change of names: the old one was written, the next one not yet moved.
                foreach (var (name, content) in before)
                    Write(folder + "/agent.key" + name, content);
                Write(folder + "/agent.key.old", before[""]);
                Restart(files);
            }

            var kept = Kept(files);
            Assert.Contains(Convert.ToHexString(_registry.Key), kept);
            Assert.InRange(Directory.GetFiles(folder).Length, 1, 3);
            dropped += kept.Count < last ? 1 : 0;
            last = kept.Count;
        }

        // An honest gateway alone has a session with it within the three keys.
        Assert.Contains(Enumerable.Range(0, 3), _ => Honest(_gateways[1]));
        _channel.Dispose();
        return dropped;
    }

    private void Captured(Random random)
    {
        _gateway = _gateways[0];
        var session = _channel.Identity.PublicKey.ToArray();
        _channel.OnEvent(new LinkEvent(LinkEventKind.Connected, ""));
        if (Offer() is { } request)
        {
            _signed.Add((session, request));
            if (random.Next(3) > 0)
                Answer(new RotateAnswer(RegistryRefusal.None, request.PublicKey, 2));
        }

        // Whatever the host ever signed, late, and under the session that suits.
        if (_signed.Count > 0 && random.Next(2) == 0)
        {
            var (old, statement) = _signed[random.Next(_signed.Count)];
            _registry.Take(old, statement);
        }

        if (random.Next(2) == 0)
            _registry.Used(_registry.Key);
    }

    private bool Honest(FleetCertificate gateway)
    {
        var session = _channel.Identity.PublicKey.ToArray();
        if (!_registry.Knows(session))
        {
            _channel.OnEvent(new LinkEvent(LinkEventKind.Refused, ""));
            return false;
        }

        _gateway = gateway;
        _registry.Used(session);
        _channel.OnEvent(new LinkEvent(LinkEventKind.Connected, ""));
        if (Offer() is { } request)
        {
            _signed.Add((session, request));
            Answer(_registry.Take(session, request));
        }

        return true;
    }

    private RotateRequest? Offer()
    {
        _sent = null;
        _channel.Look();
        if (_sent is null)
            return null;
        Assert.True(IdentityJson.TryRead(_sent.Payload.Span, IdentityJson.Default.RegistryRequest, out var request));
        return request.Rotate;
    }

    private void Answer(RotateAnswer answer) => Assert.Equal(WireError.None, _channel.Take(
        _sent! with { Type = MessageType.Response, Payload = IdentityJson.Write(answer, IdentityJson.Default.RotateAnswer) }));

    private RegistryChannel Start(AgentKeyFiles files) => new(
        Agent, files, new PinnedStatements(_folder.Path, new FleetRoots(_root.PublicKey.ToArray())), AgentLog.ToStandardError("error"), TimeProvider.System)
    {
        Send = message =>
        {
            _sent = message;
            return true;
        },
        Gateway = () => _gateway,
    };

    private void Restart(AgentKeyFiles files)
    {
        _channel.Dispose();
        _channel = Start(files);
    }

    private static List<string> Kept(AgentKeyFiles files)
    {
        var kept = new List<string>();
        foreach (var slot in new[] { KeySlot.Old, KeySlot.Present, KeySlot.Next }.Where(files.Has))
        {
            using var key = files.Read(slot);
            kept.Add(Convert.ToHexString(key.PublicKey));
        }

        return kept;
    }

    private static Dictionary<string, byte[]> Content(string folder) =>
        Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file)["agent.key".Length..], File.ReadAllBytes);

    private static void Write(string file, byte[] content)
    {
        File.WriteAllBytes(file, content);
        File.SetUnixFileMode(file, Wire.Keys.KeyFile.RequiredMode);
    }
}
