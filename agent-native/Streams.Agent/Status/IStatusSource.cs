using System.Text.Json;

namespace Streams.Agent.Status;

/// <summary>A module that has something to say in `status`. Called from the status thread while the module works.</summary>
internal interface IStatusSource
{
    /// <summary>Writes properties of the status document (name and value each).</summary>
    void WriteStatus(Utf8JsonWriter writer);
}
