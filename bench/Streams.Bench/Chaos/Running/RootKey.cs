using System.Buffers.Text;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos.Running;

/// <summary>The fleet root that agents pin, as the operator reads it.</summary>
internal static class RootKey
{
    private const string Label = "fleet root";

    public static async Task<byte[]> ReadAsync(string data, CancellationToken stop)
    {
        var text = await StreamsCommand.RunAsync(["keys", "--data", data], stop);
        var line = text.Split('\n').First(line => line.StartsWith(Label, StringComparison.Ordinal));
        return Base64Url.DecodeFromChars(line[Label.Length..].Trim());
    }
}
