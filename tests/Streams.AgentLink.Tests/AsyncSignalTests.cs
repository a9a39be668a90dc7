using Streams.AgentLink.Session;

namespace Streams.AgentLink.Tests;

public sealed class AsyncSignalTests
{
    [Fact]
    public async Task ASetBeforeTheWaitIsKeptOnce()
    {
        var signal = new AsyncSignal();
        signal.Set();
        signal.Set();
        Assert.True(signal.WaitAsync().IsCompletedSuccessfully);
        var wait = signal.WaitAsync();
        Assert.False(wait.IsCompleted);
        signal.Set();
        await wait.AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>
    /// A waiter that sees the completion may wait again, which resets the source: it must not get in before the setter is done with it. A
    /// synchronization context is called from inside the completion, which is where that can be seen.
    /// </summary>
    [Fact]
    public void NobodyGetsInWhileASetterCompletesAWait()
    {
        var signal = new AsyncSignal();
        using var continued = new ManualResetEventSlim();
        var other = new Thread(signal.Set);
        var gotIn = false;
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new PostHook(() =>
        {
            other.Start();
            gotIn = other.Join(200);
        }));
        try
        {
            signal.WaitAsync().GetAwaiter().OnCompleted(continued.Set);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        signal.Set();
        Assert.True(continued.Wait(TimeSpan.FromSeconds(10)));
        Assert.True(other.Join(TimeSpan.FromSeconds(10)));
        Assert.False(gotIn);
    }

    /// <summary>The same under load: a waiter that polls goes round while the setter is still at the wait before.</summary>
    [Fact]
    public void AWaiterThatGoesRoundAtOnceNeverMeetsTheSetterOfTheWaitBefore()
    {
        var signal = new AsyncSignal();
        var asked = 0;
        var stop = false;
        Exception? failure = null;
        var setter = new Thread(() => failure = Record.Exception(() =>
        {
            for (var answered = 0; !Volatile.Read(ref stop);)
            {
                if (Volatile.Read(ref asked) != answered)
                {
                    answered++;
                    signal.Set();
                }
            }
        }));
        setter.Start();
        var started = Environment.TickCount64;
        try
        {
            while (Environment.TickCount64 - started < 3000 && failure is null)
            {
                Round(signal, ref asked, ref failure);
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            setter.Join();
        }

        Assert.Null(failure);
        Assert.True(asked > 1000, $"only {asked} rounds");
    }

    private static void Round(AsyncSignal signal, ref int asked, ref Exception? failure)
    {
        var wait = signal.WaitAsync();
        Volatile.Write(ref asked, asked + 1);
        while (!wait.IsCompleted)
        {
            if (Volatile.Read(ref failure) is not null)
            {
                return;
            }
        }

        wait.GetAwaiter().GetResult();
    }

    private sealed class PostHook(Action inside) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
            inside();
            d(state);
        }
    }
}
