using System.Text;
using Streams.Schema;

namespace Streams.Worker.Alerts;

/// <summary>An alert that waits to become a row.</summary>
/// <param name="At">Microseconds since 1970.</param>
internal readonly record struct SystemAlert(long At, string Kind, string Subject, string Detail);

/// <summary>Alerts as batches of <c>system_alert</c>: one lane, numbers and sequence without gaps.</summary>
internal sealed class AlertBatch : IDisposable
{
    /// <summary>Rows of one batch.</summary>
    public const int MaxRows = 256;

    // User-space producers stamp as this CPU; sequences begin at 1.
    private const ushort Cpu = ushort.MaxValue;
    private const int MaxText = 1024;

    private static readonly EventClass Class = ServerClasses.SystemAlert;

    private readonly BatchBuilder _builder = new(Class, new BuilderOptions { MaxRows = MaxRows, MaxBytes = 1 << 20 });
    private ulong _next = 1;

    public Epoch Epoch { get; } = Epoch.NewRandom();

    /// <summary>The number of the next batch.</summary>
    public uint N { get; private set; }

    /// <summary>Seals at least one and at most <see cref="MaxRows"/> alerts into the next batch.</summary>
    public byte[] Seal(IReadOnlyList<SystemAlert> alerts)
    {
        var first = _next;
        foreach (var alert in alerts)
        {
            var kind = Encoding.UTF8.GetBytes(Cut(alert.Kind));
            var subject = Encoding.UTF8.GetBytes(Cut(alert.Subject));
            var detail = Encoding.UTF8.GetBytes(Cut(alert.Detail));
            if (!_builder.TryBeginRow(kind.Length + subject.Length + detail.Length))
            {
                throw new InvalidOperationException("bounded texts fit into a batch of their own bound");
            }

            _builder.SetClaim(alert.At, _next++, Cpu, 0, 0);
            _builder.TrySetDictionary(Class.OrdinalOf("kind"), kind);
            _builder.TrySetString(Class.OrdinalOf("subject"), subject);
            _builder.TrySetString(Class.OrdinalOf("detail"), detail);
            _builder.EndRow();
        }

        _builder.TryAddLedger(Cpu, first, _next - 1, (uint)alerts.Count);
        var bytes = new byte[_builder.MaxSealedBytes];
        var length = _builder.Seal(new BatchName(Epoch, 0, N++), new BatchStamp(Epoch), BatchCompression.Lz4, bytes);
        _builder.Reset();
        return bytes[..length];
    }

    public void Dispose() => _builder.Dispose();

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];
}
