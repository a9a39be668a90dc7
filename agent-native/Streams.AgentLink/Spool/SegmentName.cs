using System.Globalization;
using System.Runtime.CompilerServices;
using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>Which lane a segment is; also its file's name: <c>{epoch}-{lane}-{priority}.lane</c>, lane as 8 hex digits.</summary>
internal readonly record struct SegmentName(Epoch Epoch, uint Lane, PriorityClass Priority)
{
    internal const string Extension = ".lane";

    /// <summary>Seed of the record sums.</summary>
    [SkipLocalsInit]
    internal uint Salt()
    {
        Span<byte> bytes = stackalloc byte[Epoch.Size + sizeof(uint)];
        Epoch.Write(bytes);
        BitConverter.TryWriteBytes(bytes[Epoch.Size..], Lane);
        return Crc32C.Compute(bytes);
    }

    internal string FileName =>
        string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Lane:x8}-{NameOf(Priority)}{Extension}");

    internal static string NameOf(PriorityClass priority) => priority switch
    {
        PriorityClass.Control => "control",
        PriorityClass.Response => "response",
        PriorityClass.Alert => "alert",
        PriorityClass.Event => "event",
        PriorityClass.Metric => "metric",
        _ => "bulk",
    };

    /// <summary>False for every name that this type does not write.</summary>
    internal static bool TryParse(string fileName, out SegmentName name)
    {
        name = default;
        if (fileName.Length < 42 || !Epoch.TryParse(fileName.AsSpan(0, 32), out var epoch)
            || !uint.TryParse(fileName.AsSpan(33, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var lane))
        {
            return false;
        }

        for (var priority = PriorityClass.Control; priority <= PriorityClass.Bulk; priority++)
        {
            name = new SegmentName(epoch, lane, priority);
            if (name.FileName == fileName)
            {
                return true;
            }
        }

        return false;
    }
}
