using System.Collections.Frozen;

namespace Streams.Storage;

/// <summary>
/// The one table of what ClickHouse's error codes mean for an insert (src/Common/ErrorCodes.cpp). A code that is not here is
/// retried with back-off and, when it stays, raised as an alert: guessing "poison" would lose good data.
/// </summary>
public static class InsertErrors
{
    private static readonly FrozenDictionary<int, InsertOutcome> Known = new Dictionary<int, InsertOutcome>
    {
        // The block at fault: it will never be accepted as it is.
        [6] = InsertOutcome.Split, // CANNOT_PARSE_TEXT
        [27] = InsertOutcome.Split, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
        [33] = InsertOutcome.Split, // CANNOT_READ_ALL_DATA
        [53] = InsertOutcome.Split, // TYPE_MISMATCH
        [70] = InsertOutcome.Split, // CANNOT_CONVERT_TYPE
        [117] = InsertOutcome.Split, // INCORRECT_DATA
        [131] = InsertOutcome.Split, // TOO_LARGE_STRING_SIZE
        [190] = InsertOutcome.Split, // SIZES_OF_ARRAYS_DONT_MATCH
        [321] = InsertOutcome.Split, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        [349] = InsertOutcome.Split, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        [469] = InsertOutcome.Split, // VIOLATED_CONSTRAINT

        // Too much at once: halve, but never dead-letter for it.
        [241] = InsertOutcome.Split, // MEMORY_LIMIT_EXCEEDED

        // Somebody must act.
        [16] = InsertOutcome.Stop, // NO_SUCH_COLUMN_IN_TABLE: a migration is missing
        [47] = InsertOutcome.Stop, // UNKNOWN_IDENTIFIER
        [60] = InsertOutcome.Stop, // UNKNOWN_TABLE
        [62] = InsertOutcome.Stop, // SYNTAX_ERROR
        [73] = InsertOutcome.Stop, // UNKNOWN_FORMAT
        [81] = InsertOutcome.Stop, // UNKNOWN_DATABASE
        [115] = InsertOutcome.Stop, // UNKNOWN_SETTING
        [164] = InsertOutcome.Stop, // READONLY
        [192] = InsertOutcome.Stop, // UNKNOWN_USER
        [193] = InsertOutcome.Stop, // WRONG_PASSWORD
        [194] = InsertOutcome.Stop, // REQUIRED_PASSWORD
        [497] = InsertOutcome.Stop, // ACCESS_DENIED
        [516] = InsertOutcome.Stop, // AUTHENTICATION_FAILED

        // Refused before anything was written.
        [201] = InsertOutcome.Retry, // QUOTA_EXCEEDED
        [202] = InsertOutcome.Retry, // TOO_MANY_SIMULTANEOUS_QUERIES
        [242] = InsertOutcome.Retry, // TABLE_IS_READ_ONLY
        [243] = InsertOutcome.Retry, // NOT_ENOUGH_SPACE
        [252] = InsertOutcome.Retry, // TOO_MANY_PARTS
        [999] = InsertOutcome.Retry, // KEEPER_EXCEPTION

        // Stopped somewhere in the middle, possibly after the rename of the part.
        [74] = InsertOutcome.InDoubt, // CANNOT_READ_FROM_FILE_DESCRIPTOR
        [75] = InsertOutcome.InDoubt, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
        [76] = InsertOutcome.InDoubt, // CANNOT_OPEN_FILE
        [159] = InsertOutcome.InDoubt, // TIMEOUT_EXCEEDED
        [209] = InsertOutcome.InDoubt, // SOCKET_TIMEOUT
        [210] = InsertOutcome.InDoubt, // NETWORK_ERROR
        [218] = InsertOutcome.InDoubt, // TABLE_IS_DROPPED: or detached, to be loaded anew
        [236] = InsertOutcome.InDoubt, // ABORTED
        [319] = InsertOutcome.InDoubt, // UNKNOWN_STATUS_OF_INSERT
        [394] = InsertOutcome.InDoubt, // QUERY_WAS_CANCELLED
        [425] = InsertOutcome.InDoubt, // SYSTEM_ERROR
        [734] = InsertOutcome.InDoubt, // QUERY_WAS_CANCELLED_BY_CLIENT
    }.ToFrozenDictionary();

    /// <summary>True for a code that only means "too much at once": it splits and never dead-letters.</summary>
    public static bool IsMemory(int code) => code == 241;

    /// <summary>True when the table knows the code; a retry of an unknown one is worth an alert.</summary>
    public static bool IsKnown(int code) => Known.ContainsKey(code);

    public static InsertOutcome Classify(int code) => Known.GetValueOrDefault(code, InsertOutcome.Retry);
}
