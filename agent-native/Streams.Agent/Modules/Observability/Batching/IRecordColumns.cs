using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>How the records of one class become its columns.</summary>
internal interface IRecordColumns
{
    /// <summary>Sum of the lengths of the row's strings. False: the record is too short for its class.</summary>
    bool TryMeasure(ReadOnlySpan<byte> record, out int stringBytes);

    /// <summary>Sets all columns after the claim columns.</summary>
    /// <param name="clockOffset">Wall minus boot clock in microseconds, for times inside the record.</param>
    void Write(ReadOnlySpan<byte> record, BatchBuilder row, long clockOffset);
}
