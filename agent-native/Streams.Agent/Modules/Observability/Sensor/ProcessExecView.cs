using System.Runtime.InteropServices;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>A process_exec record with its variable part taken apart.</summary>
public readonly ref struct ProcessExecView
{
    private ProcessExecView(ref readonly ProcessExecRecord fixedPart, ReadOnlySpan<byte> filename, ReadOnlySpan<byte> argv)
    {
        Fixed = ref fixedPart;
        Filename = filename;
        Argv = argv;
    }

    /// <summary>The fixed part.</summary>
    public readonly ref readonly ProcessExecRecord Fixed;

    /// <summary>The path as given to execve, without NUL.</summary>
    public ReadOnlySpan<byte> Filename { get; }

    /// <summary>The arguments, NUL between two of them.</summary>
    public ReadOnlySpan<byte> Argv { get; }

    /// <summary>False when the lengths do not fit the record.</summary>
    public static bool TryRead(ReadOnlySpan<byte> record, out ProcessExecView view)
    {
        view = default;
        if (record.Length < ProcessExecRecord.ByteSize)
        {
            return false;
        }
        ref readonly var fixedPart = ref MemoryMarshal.AsRef<ProcessExecRecord>(record);
        var data = record[ProcessExecRecord.ByteSize..];
        if (fixedPart.FilenameLength + fixedPart.ArgvLength > data.Length)
        {
            return false;
        }
        view = new ProcessExecView(
            in fixedPart, data[..fixedPart.FilenameLength], data.Slice(fixedPart.FilenameLength, fixedPart.ArgvLength));
        return true;
    }
}
