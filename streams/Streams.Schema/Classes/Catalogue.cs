using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Streams.Schema;

/// <summary>All event classes of this build. To add one: declare it in its family's file, list it here, raise <see cref="Version"/>.</summary>
public static class Catalogue
{
    /// <summary>Raised with every change of the declarations; agents and servers name theirs to each other.</summary>
    public const ushort Version = 4;

    /// <summary>Readers of this version on read encoded columns (<see cref="BatchHeader.EncodedFormatVersion"/>).</summary>
    public const ushort EncodingsSince = 4;

    private static readonly Dictionary<ushort, EventClass> ById = [];
    private static readonly Dictionary<string, EventClass> ByName = new(StringComparer.Ordinal);

    static Catalogue()
    {
        foreach (var eventClass in Classes)
        {
            ById.Add(eventClass.Id, eventClass);
            ByName.Add(eventClass.Name, eventClass);
        }
    }

    /// <summary>The classes in the order of their ids.</summary>
    public static IReadOnlyList<EventClass> Classes { get; } =
    [
        ProcessClasses.Exec,
        ProcessClasses.Exit,
        NetworkClasses.Connect,
        NetworkClasses.Accept,
        NetworkClasses.Close,
        MetricClasses.Host,
        MetricClasses.Module,
        LedgerClasses.Barrier,
        LedgerClasses.BatchProof,
        ServerClasses.SystemAlert,
        ServerClasses.AuthFailure,
        ServerClasses.AgentSession,
        ServerClasses.AgentIdentity,
        ServerClasses.Command,
        ServerClasses.Audit,
    ];

    /// <summary>
    /// SHA-256 of <see cref="CanonicalText"/>. A constant, because hashing in the agent would load OpenSSL (several MB resident);
    /// a test computes it again and names the value when a declaration has changed.
    /// </summary>
    public static ReadOnlySpan<byte> Digest => CatalogueDigest.Bytes;

    public static bool TryGet(ushort id, [NotNullWhen(true)] out EventClass? eventClass) => ById.TryGetValue(id, out eventClass);

    public static bool TryGet(string name, [NotNullWhen(true)] out EventClass? eventClass) => ByName.TryGetValue(name, out eventClass);

    /// <summary>One line per class and column: everything that another build must agree on, and no descriptions.</summary>
    public static string CanonicalText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"catalogue {Version}\n");
        foreach (var c in Classes)
        {
            text.Append(CultureInfo.InvariantCulture, $"class {c.Id} {c.Name} {c.Version} {(byte)c.Priority} {c.Channel} {(byte)c.Producer}\n");
            foreach (var column in c.Columns)
            {
                text.Append(CultureInfo.InvariantCulture, $"column {column.Id} {column.Name} {(byte)column.Type}\n");
            }
        }

        return text.ToString();
    }
}
