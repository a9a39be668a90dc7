using System.Globalization;
using Streams.Bench.Load;

namespace Streams.Bench.Watching;

/// <summary>One line that says how a run goes: rewritten on a terminal, a new one every ten seconds elsewhere.</summary>
internal sealed class ProgressLine
{
    private const double PlainEvery = 10;

    private static readonly bool Terminal = !Console.IsOutputRedirected;

    private Sample? _last;
    private double _next;

    public void Show(Sample sample, IReadOnlyList<LoadProcess> loads)
    {
        var seconds = Math.Max(0.001, sample.Seconds - (_last?.Seconds ?? 0));
        var rate = (sample.Rows - (_last?.Rows ?? 0)) / seconds;
        if (Terminal || sample.Seconds >= _next)
        {
            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"{sample.Seconds,5:0} s {loads[0].Status.State}: offered {sample.Offered:N0}, taken {sample.Accepted:N0}, in tables {sample.Rows:N0} ({rate:N0}/s), behind {sample.BehindSeconds:0.0} s, {loads.Sum(static load => load.Status.Connected)} agents");
            Console.Write(Terminal ? $"\r\u001b[K{line}" : line + "\n");
            _next = sample.Seconds + PlainEvery;
        }

        _last = sample;
    }

    public static void End()
    {
        if (Terminal)
        {
            Console.WriteLine();
        }
    }
}
