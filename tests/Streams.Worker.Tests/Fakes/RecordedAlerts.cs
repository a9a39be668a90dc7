namespace Streams.Worker.Tests.Fakes;

/// <summary>Keeps the alerts that were raised.</summary>
internal sealed class RecordedAlerts : ISystemAlerts
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<(string Kind, string Subject, string Detail)> _raised = new();

    public IEnumerable<(string Kind, string Subject, string Detail)> Raised => _raised;

    public void Raise(string kind, string subject, string detail) => _raised.Enqueue((kind, subject, detail));
}
