using System.Runtime.InteropServices;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>Text fields of records.</summary>
internal static class RecordText
{
    /// <summary>TASK_COMM_LEN.</summary>
    public const int CommBytes = 16;

    /// <summary>A task name without its padding.</summary>
    public static ReadOnlySpan<byte> Comm(ref readonly Bytes16 field)
    {
        var bytes = MemoryMarshal.CreateReadOnlySpan(in field[0], CommBytes);
        var end = bytes.IndexOf((byte)0);
        return end < 0 ? bytes : bytes[..end];
    }
}
