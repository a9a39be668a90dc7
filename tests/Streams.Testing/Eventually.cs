using System.Diagnostics;
using Xunit;

namespace Streams.Testing;

/// <summary>Waits for something that happens soon, and fails with words if it does not. Never a sleep of a guessed length.</summary>
public static class Eventually
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? deadline = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, deadline);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var started = Stopwatch.GetTimestamp();
        while (!await condition().ConfigureAwait(false))
        {
            if (Stopwatch.GetElapsedTime(started) > limit)
                Assert.Fail($"Not within {limit.TotalSeconds:0.#} s: {what}");
            await Task.Delay(Poll).ConfigureAwait(false);
        }
    }

    /// <summary>Polls until the value satisfies the condition, and returns it; the last value is in the failure's text.</summary>
    public static async Task<T> ValueAsync<T>(Func<Task<T>> read, Func<T, bool> accept, string what, TimeSpan? deadline = null)
    {
        var limit = deadline ?? DefaultDeadline;
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var value = await read().ConfigureAwait(false);
            if (accept(value))
                return value;
            if (Stopwatch.GetElapsedTime(started) > limit)
                Assert.Fail($"Not within {limit.TotalSeconds:0.#} s: {what}; last value {value}");
            await Task.Delay(Poll).ConfigureAwait(false);
        }
    }
}
