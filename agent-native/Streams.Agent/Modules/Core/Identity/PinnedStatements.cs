using System.Buffers.Text;
using System.Text;
using Streams.Wire.Handshake;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// What fleet roots have said to this agent, durable before it is acted on: STATE/roots has the roots to pin in place of the configured ones,
/// STATE/revocations the newest list of revoked gateways. Thread-safe.
/// </summary>
internal sealed class PinnedStatements
{
    private const int MaxRootsBytes = 1024;

    private readonly Lock _gate = new();
    private readonly string _rootsFile;
    private readonly string _revocationsFile;
    private readonly string _configured;
    private volatile FleetRoots _roots;
    private volatile RevocationList? _revoked;

    /// <exception cref="AgentException">A file cannot be read.</exception>
    public PinnedStatements(string stateDirectory, FleetRoots configured)
    {
        _rootsFile = Path.Combine(stateDirectory, "roots");
        _revocationsFile = Path.Combine(stateDirectory, "revocations");
        _configured = Line(configured);
        _roots = ReadRoots() ?? configured;
        _revoked = DurableFile.TryRead(_revocationsFile, RevocationList.MaxBytes) is { } bytes && RevocationList.TryParse(bytes, out var list) ? list : null;
    }

    public FleetRoots Roots => _roots;

    /// <summary>It was believed when it came: the root that signed it may be retired since.</summary>
    public RevocationList? Revoked => _revoked;

    /// <summary>Keeps a list that a pinned root has signed, when it is newer. False: it is not.</summary>
    public bool Take(RevocationList list)
    {
        lock (_gate)
        {
            if ((_revoked is { } known && known.Version >= list.Version) || !list.IsSignedBy(_roots))
                return false;
            DurableFile.Write(_revocationsFile, list.Bytes);
            _revoked = list;
            return true;
        }
    }

    /// <summary>Pins the next root. False: the newest pinned one has not said it, or it is known.</summary>
    public bool Take(RootSuccession succession)
    {
        lock (_gate)
        {
            if (!succession.TryApply(_roots, out var roots))
                return false;
            // The configured roots are in it, so that roots that somebody configures later are not held back by it.
            DurableFile.Write(_rootsFile, Encoding.ASCII.GetBytes($"{_configured}\n{Line(roots!)}\n"));
            _roots = roots!;
            return true;
        }
    }

    private FleetRoots? ReadRoots()
    {
        if (DurableFile.TryRead(_rootsFile, MaxRootsBytes) is not { } content)
            return null;
        var lines = Encoding.ASCII.GetString(content).Split('\n');
        if (lines.Length != 3 || lines[0] != _configured)
            return null;
        var keys = new List<byte[]>();
        foreach (var text in lines[1].Split(' '))
        {
            var key = new byte[32];
            if (!Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, key, out var written) || written != 32)
                throw new AgentException($"{_rootsFile} is damaged; remove it");
            keys.Add(key);
        }

        return keys.Count <= FleetRoots.MaxRoots ? new FleetRoots([.. keys]) : throw new AgentException($"{_rootsFile} is damaged; remove it");
    }

    private static string Line(FleetRoots roots) => string.Join(' ', roots.Keys.Select(key => Base64Url.EncodeToString(key)));
}
