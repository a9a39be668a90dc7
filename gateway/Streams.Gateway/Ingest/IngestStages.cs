using Akka;
using Akka.Streams.Dsl;
using Streams.Gateway.Sessions;
using Streams.Wire.Frames;

namespace Streams.Gateway.Ingest;

/// <summary>
/// The stages of an ingest graph. Each looks at one frame and either lets it go on or settles it; a frame that is settled passes the later ones untouched.
/// Bad input is a value here, and even a fault of our own is caught at the frame: an exception would fail the graph, and with it every session of the core.
/// </summary>
internal static class IngestStages
{
    /// <summary>open, then admit. Route is the graph's end.</summary>
    public static Flow<IngestFrame, IngestFrame, NotUsed> Create(GatewayMetrics metrics) => Flow.Create<IngestFrame>()
        .Select(frame => Open(frame, metrics)).Named("open")
        .Select(frame => Admit(frame, metrics)).Named("admit");

    /// <summary>What the first stage does to a frame.</summary>
    internal static IngestFrame Open(IngestFrame frame, GatewayMetrics metrics) => Guard(frame, Decrypt, metrics);

    /// <summary>What the second stage does to a frame.</summary>
    internal static IngestFrame Admit(IngestFrame frame, GatewayMetrics metrics) => Guard(frame, FrameAdmission.Admit, metrics);

    private static FrameFate Decrypt(IngestFrame frame) =>
        frame.Owner.Opener.Open(frame) == FrameError.None ? FrameFate.Stored : FrameFate.NotOpened;

    private static IngestFrame Guard(IngestFrame frame, Func<IngestFrame, FrameFate> stage, GatewayMetrics metrics)
    {
        if (!frame.TryHold())
        {
            return frame;
        }

        try
        {
            var fate = Abandoned(frame) ?? stage(frame);
            if (fate != FrameFate.Stored)
            {
                Refuse(frame, fate);
            }
        }
        catch (Exception)
        {
            metrics.Error("stage");
            frame.Owner.End(SessionEnd.Internal);
            frame.Settle(FrameFate.GraphFailed);
        }
        finally
        {
            frame.Release();
        }

        return frame;
    }

    /// <summary>
    /// A session that must send again anyway, or was displaced, publishes no more, nor does a lane that went back; one whose connection
    /// just broke keeps what came in whole.
    /// </summary>
    public static FrameFate? Abandoned(IngestFrame frame) => frame.Owner.Ended switch
    {
        SessionEnd.Displaced => FrameFate.Displaced,
        SessionEnd.GraphFailed or SessionEnd.Internal => FrameFate.GraphFailed,
        _ => frame.Headers.Count == 0 || frame.Owner.Lanes.IsCurrent(frame.Headers.Epoch, frame.Headers.Lane, frame.Headers.Resend)
            ? null
            : FrameFate.Rewound,
    };

    private static void Refuse(IngestFrame frame, FrameFate fate)
    {
        var end = FrameAdmission.Consequence(fate);
        if (end != SessionEnd.None)
        {
            frame.Owner.End(end);
        }

        frame.Settle(fate);
        if (fate is FrameFate.Gap or FrameFate.Held && frame.Owner.Lanes.HasOrders)
        {
            frame.Owner.TellOrders();
        }
    }
}
