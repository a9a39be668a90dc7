using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>
/// Rows of a request, or a held-back answer, outside the managed heap and reachable for the engine by a path. The bytes of all of them
/// together are bounded by <see cref="SpoolBudget"/>.
/// </summary>
internal sealed class MemoryFile(SpoolBudget budget) : IDisposable
{
    private readonly SafeFileHandle _file = Interop.Files.CreateMemoryFile("streams-clickhouse");

    public long Length { get; private set; }

    /// <summary>Valid in this process only, which is where the engine runs.</summary>
    public string Path => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_file.DangerousGetHandle()}");

    /// <returns>False when a bound would be exceeded; the file is then incomplete.</returns>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (!budget.TryTake(Length, bytes.Length))
            return false;
        RandomAccess.Write(_file, bytes, Length);
        Length += bytes.Length;
        return true;
    }

    public int Read(Span<byte> bytes, long offset) => RandomAccess.Read(_file, bytes, offset);

    public void Dispose()
    {
        _file.Dispose();
        budget.Return(Length);
        Length = 0;
    }
}
