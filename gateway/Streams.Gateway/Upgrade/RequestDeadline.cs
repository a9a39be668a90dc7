using System.IO.Pipelines;
using Streams.Gateway.Heartbeat;

namespace Streams.Gateway.Upgrade;

/// <summary>Wakes who waits for a request when it has taken too long, or when the gateway goes.</summary>
internal sealed class RequestDeadline(GatewayCore core, PipeReader input, long deadline) : IWheelMember
{
    int IWheelMember.WheelIndex { get; set; }

    void IWheelMember.Tick(long now)
    {
        if (now >= deadline || core.IsDraining)
        {
            // Not here: who waits goes on in the call, to its answer and the end of its connection, and the wheel has others.
            ThreadPool.UnsafeQueueUserWorkItem(static waiting => waiting.CancelPendingRead(), input, preferLocal: false);
        }
    }
}
