using Streams.Wire;

namespace Streams.Gateway.Encryption;

/// <summary>Tells the agent what was wrong with a message of its. Never blocks; any thread.</summary>
internal interface IRefusalSink
{
    /// <param name="channel">Number; 0 for none.</param>
    /// <param name="id">The message's; may be empty.</param>
    /// <param name="field">Name of the field, never its value.</param>
    void Refused(WireError error, byte channel, string id, string field);
}
