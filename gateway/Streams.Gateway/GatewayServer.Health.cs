using Streams.Gateway.Credit;
using Streams.Queue;
using Streams.Stages;

namespace Streams.Gateway;

public sealed partial class GatewayServer
{
    /// <summary>
    /// While a reason stands (one word of a closed list, e.g. <c>disk</c>: it is in the log and in <see cref="Health"/>) no further credit
    /// is given; sessions live on, and what was granted may still come. Null takes it back. May be called at any time from any thread.
    /// </summary>
    public void HoldCredit(string? reason)
    {
        lock (_holding)
        {
            if (reason == _holdReason)
            {
                return;
            }

            _holdReason = reason;
            if (_core is { } core)
            {
                ApplyHold(core.Pool);
            }
        }
    }

    /// <summary>What is wrong now, for <c>/healthz</c>.</summary>
    public GatewayHealth Health()
    {
        if (_core is null || _web is null)
        {
            return GatewayHealth.Of(["starting"], 0);
        }

        var reasons = new List<string>();
        if (_core.IsDraining)
        {
            reasons.Add("draining");
        }

        if (_queue!.IsAway)
        {
            reasons.Add("queue_away");
        }

        if (Volatile.Read(ref _holdReason) is { } held)
        {
            reasons.Add($"credit_held:{held}");
        }

        reasons.AddRange(_graphs.Where(graph => graph.State != GraphState.Running).Select(graph => $"graph_down:{graph.Name}"));
        foreach (var outlet in _outlets)
        {
            if (outlet.Trouble is PublishOutcome.QueueFull or PublishOutcome.Refused)
            {
                reasons.Add(outlet.Trouble == PublishOutcome.QueueFull ? $"partition_full:{outlet.Partition}" : $"partition_refused:{outlet.Partition}");
            }
        }

        return GatewayHealth.Of(reasons, _core.Registry.Count);
    }

    private void ApplyHold(CreditPool pool)
    {
        if (_holdReason is { } reason)
        {
            pool.Suspend(CreditStop.Held);
            _logger.CreditHeld(reason);
        }
        else if (pool.IsSuspended(CreditStop.Held))
        {
            pool.Resume(CreditStop.Held);
            _logger.CreditReleased();
        }
    }
}
