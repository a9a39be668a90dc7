using Streams.Gateway.Channels;

namespace Streams.Gateway.Tests.Channels;

/// <summary>How many messages a session may have, and how many wrong ones, in time that the test gives.</summary>
public sealed class MessageBudgetTests
{
    [Fact]
    public void A_burst_and_then_a_rate()
    {
        var budget = default(MessageBudget);
        var now = 1_000_000L;
        Assert.Equal(MessageBudget.Burst, Take(ref budget, now));
        Assert.Equal(MessageBudget.PerSecond, Take(ref budget, now + 1000));
        Assert.Equal(MessageBudget.Burst, Take(ref budget, now + 3_600_000));
    }

    [Fact]
    public void Refusals_are_forgotten_one_by_one()
    {
        var budget = default(MessageBudget);
        var now = 1_000_000L;
        for (var i = 0; i < MessageBudget.Refusals; i++)
        {
            Assert.True(budget.TryRefuse(now));
        }

        Assert.False(budget.TryRefuse(now + MessageBudget.RefusalMilliseconds - 1));
        Assert.True(budget.TryRefuse(now + MessageBudget.RefusalMilliseconds));
        Assert.False(budget.TryRefuse(now + MessageBudget.RefusalMilliseconds));
        Assert.True(budget.TryTake(now));
    }

    private static int Take(ref MessageBudget budget, long now)
    {
        var taken = 0;
        while (budget.TryTake(now))
        {
            taken++;
        }

        return taken;
    }
}
