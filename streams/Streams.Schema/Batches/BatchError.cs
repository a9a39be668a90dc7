namespace Streams.Schema;

/// <summary>Why a batch was refused: what, in which column (0: none), the value found and the bound it breaks.</summary>
public readonly record struct BatchError(BatchErrorKind Kind, ushort ColumnId = 0, long Value = 0, long Bound = 0)
{
    /// <summary>True when the bytes may be good and only this build cannot read them.</summary>
    public bool IsUnknown => Kind is BatchErrorKind.UnknownClass or BatchErrorKind.UnknownVersion or BatchErrorKind.UnknownEncoding;

    public override string ToString() => ColumnId == 0
        ? $"{Kind}: found {Value}, bound {Bound}"
        : $"{Kind} in column {ColumnId}: found {Value}, bound {Bound}";
}
