using System.Globalization;
using Streams.Schema;

namespace Streams.Bench.Comparisons.Peers;

/// <summary>Where a peer brings the rows of one class.</summary>
/// <param name="Class">Whose rows.</param>
/// <param name="Table">Of the same structure as the class's own.</param>
/// <param name="Lines">What it is fed, over and over.</param>
/// <param name="Rows">Rows that it is fed in all, a multiple of those of <paramref name="Lines"/>.</param>
/// <param name="Server">ClickHouse's address.</param>
internal sealed record PeerTarget(EventClass Class, string Table, JsonLines Lines, long Rows, Uri Server, string User, string Password)
{
    /// <summary>
    /// Address to which lines of JSON are posted; without user and password. The prepared lines come again and again, and the tables' deduplication would drop
    /// an insert that is the same as one before.
    /// </summary>
    public string InsertUrl => string.Create(
        CultureInfo.InvariantCulture,
        $"{Server}?database=streams&async_insert=0&deduplicate_insert=disable&query={Uri.EscapeDataString($"INSERT INTO {Table} FORMAT JSONEachRow")}");

    /// <summary>The same with them.</summary>
    public string InsertUrlWithPassword => $"{InsertUrl}&user={Uri.EscapeDataString(User)}&password={Uri.EscapeDataString(Password)}";

    /// <summary>Writes all rows; blocks while the peer takes no more.</summary>
    public async Task WriteAsync(Stream peer, CancellationToken stop)
    {
        for (var written = 0L; written < Rows; written += Lines.Rows)
        {
            await peer.WriteAsync(Lines.Bytes, stop);
        }

        await peer.FlushAsync(stop);
    }
}
