namespace Streams.Wire.Json;

/// <summary>Where a value lies in the text of a message, without its quotes and free of escapes.</summary>
public readonly record struct TextSlice(int Start, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text) => text.Slice(Start, Length);
}
