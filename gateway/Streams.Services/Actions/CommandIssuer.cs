using Streams.Control.Commands;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Services.Actions;

/// <summary>Signs commands with the services' key. It may sign what only looks: agents refuse everything else, so it does not try.</summary>
public sealed class CommandIssuer : IDisposable
{
    /// <summary>Between issue and the first look of an agent whose clock is a little behind.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(1);

    private readonly SigningKey _key;
    private readonly Func<FleetCertificate?> _renewed;
    private readonly TimeProvider _time;
    private FleetCertificate _certificate;
    private ulong _counter;

    /// <param name="key">Owned from here on.</param>
    /// <param name="renewed">Gives the certificate that a root has signed since, null for none; asked before each use.</param>
    public CommandIssuer(SigningKey key, FleetCertificate certificate, TimeProvider? time = null, Func<FleetCertificate?>? renewed = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(certificate);
        if (!key.PublicKey.SequenceEqual(certificate.PublicKey))
        {
            throw new ArgumentException("the certificate is for another key", nameof(certificate));
        }

        _key = key;
        _certificate = certificate;
        _renewed = renewed ?? (static () => null);
        _time = time ?? TimeProvider.System;
    }

    public static bool MaySign(string kind) => CommandTable.SignerOf(kind) == CommandSigner.Service;

    /// <summary>Null when the certificate is good now, otherwise one line.</summary>
    public string? Trouble()
    {
        var second = _time.GetUtcNow().ToUnixTimeSeconds();
        var certificate = Certificate();
        return second < certificate.NotBefore || second > certificate.NotAfter
            ? $"the service certificate {certificate.Name} {certificate.Serial} is not valid now: have a new one signed by the fleet root" : null;
    }

    /// <exception cref="ArgumentException">The order breaks a bound; the message is one line that names field and bound.</exception>
    public CommandDocument Sign(CommandOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        var now = _time.GetUtcNow();
        var issued = Microseconds(now - ClockSlack);
        var fields = new CommandFields
        {
            Id = CommandId.NewRandom(),
            Kind = order.Kind,
            Actor = order.Actor,
            Counter = NextCounter(),
            IssuedAt = issued,
            NotBefore = issued,
            Deadline = Microseconds(now + order.Life),
            Agents = [.. order.Agents.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Arguments = [.. order.Arguments.OrderBy(argument => argument.Name, StringComparer.Ordinal)],
        };
        return CommandDocument.Create(fields, CommandSigner.Service, Certificate(), _key);
    }

    public void Dispose() => _key.Dispose();

    private FleetCertificate Certificate()
    {
        if (_renewed() is { } next && next.PublicKey.SequenceEqual(_key.PublicKey))
        {
            Volatile.Write(ref _certificate, next);
        }

        return Volatile.Read(ref _certificate);
    }

    /// <summary>Rises over restarts too, without a file: µs since 1970, or one more than the last.</summary>
    private ulong NextCounter()
    {
        while (true)
        {
            var last = Volatile.Read(ref _counter);
            var next = Math.Max(last + 1, Microseconds(_time.GetUtcNow()));
            if (Interlocked.CompareExchange(ref _counter, next, last) == last)
            {
                return next;
            }
        }
    }

    internal static ulong Microseconds(DateTimeOffset at) => (ulong)((at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
}
