using Streams.Storage;

namespace Streams.Worker.Commit;

/// <summary>What is to be done after an insert was sent; the store classifies the engine's errors into these.</summary>
internal enum InsertVerdict : byte
{
    /// <summary>Success on the first sending of its token, with room on the disk: the rows are there.</summary>
    Clean,

    /// <summary>No clean success: the rows may or may not be there.</summary>
    InDoubt,

    /// <summary>As above, but a disk is or was short of room: the rows may be there and not readable.</summary>
    Short,

    /// <summary>In doubt, and the block is to be halved if it is not there.</summary>
    Split,

    /// <summary>It cannot succeed without somebody's action (credentials, missing table).</summary>
    Stop,
}

/// <param name="Detail">The engine's words, for the log.</param>
/// <param name="Code">Its error code, 0 without one.</param>
internal readonly record struct InsertOutcome(InsertVerdict Verdict, string Detail = "", int Code = 0)
{
    /// <summary>The block itself is at fault, not its size: a batch that is alone in it is poison.</summary>
    public bool BlamesTheBlock => Verdict == InsertVerdict.Split && Code != 0 && !InsertErrors.IsMemory(Code);
}
