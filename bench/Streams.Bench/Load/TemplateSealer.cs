using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Bench.Load;

/// <summary>
/// Sends a batch that was sealed ahead of the clock under its real name: name and sensor epoch stand in the fixed header (PROTOCOL.md), so that
/// writing them is all that is left to do.
/// </summary>
internal readonly struct TemplateSealer(byte[] template, Epoch sensorEpoch) : IBatchSealer
{
    public int MaxSealedBytes => template.Length;

    public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
    {
        if (destination.Length < template.Length || !BatchHeader.TryRead(template, out var header, out _))
        {
            return 0;
        }
        template.CopyTo(destination);
        (header with { Name = name, SensorEpoch = sensorEpoch }).Write(destination);
        return template.Length;
    }

    public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;
}
