using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Fuzz.Targets;

/// <summary>Key files: a key, or one line that says what is wrong.</summary>
internal sealed class KeyFileFuzz : FuzzTarget
{
    public override string Name => "keyfile";

    public override int MaxBytes => 512;

    public override IEnumerable<byte[]> Seeds()
    {
        using var key = SigningKey.FromSeed(new byte[32]);
        return [.. Enum.GetValues<KeyFileKind>().Select(kind => KeyFile.Format(kind, key))];
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "streams-key-1 ", "agent", "gateway", "root", "\n", "\r\n", "=" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var outcome = 0;
        foreach (var kind in Enum.GetValues<KeyFileKind>())
        {
            if (KeyFile.TryParse("k", input, kind, out var key, out var error))
            {
                using (key)
                {
                    Must(input.TrimEnd("\r\n "u8).SequenceEqual(KeyFile.Format(kind, key!).AsSpan().TrimEnd("\n"u8)), "a key file has two forms");
                }

                outcome |= 1 << (int)kind;
            }
            else
            {
                Must(key is null && error is { Length: > 0 } && !error.Contains('\n'), "a refusal without a line");
            }
        }

        return outcome;
    }
}
