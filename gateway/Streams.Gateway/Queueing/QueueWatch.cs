using Microsoft.Extensions.Logging;
using Streams.Gateway.Credit;
using Streams.Queue;

namespace Streams.Gateway.Queueing;

/// <summary>Looks four times a second whether the queue is there; while it is not, no credit is given. Sessions live on.</summary>
internal sealed class QueueWatch(QueueConnection connection, IReadOnlyList<PartitionOutlet> outlets, CreditPool pool, ILogger logger)
{
    private readonly PublishOutcome[] _said = new PublishOutcome[outlets.Count];

    public bool IsAway => pool.IsSuspended;

    public void Tick(long now)
    {
        var away = !connection.IsConnected;
        if (away && !pool.IsSuspended)
        {
            pool.Suspend();
            logger.QueueAway();
        }
        else if (!away && pool.IsSuspended)
        {
            pool.Resume();
            logger.QueueBack();
        }

        for (var p = 0; p < outlets.Count; p++)
        {
            var trouble = outlets[p].Trouble;
            if (trouble != _said[p] && trouble is not (PublishOutcome.Acknowledged or PublishOutcome.Ambiguous))
            {
                logger.PartitionTrouble(p, trouble);
            }

            _said[p] = trouble;
        }
    }
}
