using Microsoft.Extensions.Logging;
using Streams.Gateway.Credit;
using Streams.Queue;

namespace Streams.Gateway.Queueing;

/// <summary>
/// Looks four times a second whether the queue is there and takes what it is given. While it is away no credit is given; while a partition
/// takes nothing, none to its sessions. Sessions live on.
/// </summary>
/// <param name="back">Called when a connection was made anew: what was said meanwhile was not heard.</param>
internal sealed class QueueWatch(
    QueueConnection connection, IReadOnlyList<PartitionOutlet> outlets, CreditPool pool, ILogger logger, Action back)
{
    private readonly PublishOutcome[] _said = new PublishOutcome[outlets.Count];
    private long _opened = connection.TimesOpened;
    private volatile bool _away;

    public bool IsAway => _away;

    public void Tick(long now)
    {
        var away = !connection.IsConnected;
        if (away && !_away)
        {
            _away = true;
            pool.Suspend(CreditStop.QueueAway);
            logger.QueueAway();
        }
        else if (!away && _away)
        {
            _away = false;
            pool.Resume(CreditStop.QueueAway);
            logger.QueueBack();
        }

        var opened = connection.TimesOpened;
        if (!away && opened != _opened)
        {
            _opened = opened;
            back();
        }

        for (var p = 0; p < outlets.Count; p++)
        {
            var trouble = outlets[p].Trouble;
            pool.Block(p, trouble != PublishOutcome.Acknowledged);
            if (trouble != _said[p] && trouble is not (PublishOutcome.Acknowledged or PublishOutcome.Ambiguous))
            {
                logger.PartitionTrouble(p, trouble);
            }

            _said[p] = trouble;
        }
    }
}
