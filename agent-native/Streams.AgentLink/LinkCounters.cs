namespace Streams.AgentLink;

/// <summary>Counters that outlive a session. Each has one writer; readers see a recent value.</summary>
internal sealed class LinkCounters
{
    private ulong _framesSent;
    private ulong _bytesSent;
    private ulong _sessions;
    private ulong _failedAttempts;
    private ulong _refused;
    private long _roundTrip;

    internal ulong FramesSent => Volatile.Read(ref _framesSent);

    internal ulong BytesSent => Volatile.Read(ref _bytesSent);

    internal ulong Sessions => Volatile.Read(ref _sessions);

    internal ulong FailedAttempts => Volatile.Read(ref _failedAttempts);

    internal ulong Refused => Volatile.Read(ref _refused);

    internal long RoundTrip
    {
        get => Volatile.Read(ref _roundTrip);
        set => Volatile.Write(ref _roundTrip, value);
    }

    internal void Sent(int bytes)
    {
        Volatile.Write(ref _framesSent, _framesSent + 1);
        Volatile.Write(ref _bytesSent, _bytesSent + (ulong)bytes);
    }

    internal void SessionStarted() => Volatile.Write(ref _sessions, _sessions + 1);

    internal void AttemptFailed() => Volatile.Write(ref _failedAttempts, _failedAttempts + 1);

    internal void AppendRefused() => Volatile.Write(ref _refused, _refused + 1);
}
