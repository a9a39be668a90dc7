using System.Buffers.Text;

namespace Streams.Wire.Json;

/// <summary>Content of <c>session.flow.rekey</c>: <c>{"key_epoch":N}</c>, the epoch of the next message.</summary>
internal static class RekeyContent
{
    internal const string Field = "key_epoch";
    internal const int MaxBytes = 32;

    internal static int Write(uint keyEpoch, Span<byte> content)
    {
        var start = "{\"key_epoch\":"u8;
        start.CopyTo(content);
        Utf8Formatter.TryFormat(keyEpoch, content[start.Length..], out var written);
        content[start.Length + written] = (byte)'}';
        return start.Length + written + 1;
    }

    internal static WireError TryRead(ReadOnlySpan<byte> content, out ulong keyEpoch, out string field)
    {
        keyEpoch = 0;
        var reader = new ContentReader(content);
        uint seen = 0;
        if (reader.BeginObject())
        {
            while (reader.NextField([Field], ref seen, out _))
            {
                keyEpoch = reader.Number(uint.MaxValue);
            }

            reader.Require([Field], seen, 1);
            reader.End();
        }

        field = reader.Field;
        return reader.Error;
    }
}
