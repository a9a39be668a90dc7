namespace Streams.Schema.Json;

/// <summary>What became of a JSON batch; also a bounded label of metrics.</summary>
public enum JsonBatchOutcome : byte
{
    Ok = 0,

    /// <summary>Not JSON, or not of this form: the batch can never be stored.</summary>
    Malformed,

    /// <summary>Not wrong: the class, or the version of it, is not in this build's catalogue. Hold it, never reject it.</summary>
    Unknown,

    /// <summary>Its own name is another than the message's.</summary>
    WrongName,
}

/// <summary>Why a JSON batch was refused.</summary>
/// <param name="Field">Path of the field as in <c>events[3].remote_port</c>; empty when there is none to name.</param>
/// <param name="Detail">What is wrong and the bound; never the value.</param>
public readonly record struct JsonBatchError(string Field, string Detail)
{
    public override string ToString() => Field.Length == 0 ? Detail : $"{Field}: {Detail}";
}
